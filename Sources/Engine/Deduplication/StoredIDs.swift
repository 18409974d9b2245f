/// The ids that one record of a stage's remembered ids holds, as hashes.
package struct StoredIDs {
    /// Of the table that has such records.
    package static let fields = [StateField(name: "hashes", type: .text)]
    /// Hashes of a record.
    static let most = 32
    static let hashSize = 16
    /// Leads the hashes when they are keyed.
    static let keyedMark: UInt8 = 1

    /// Without their mark.
    let hashes: ByteView
    /// They were made with the job's `HashKey`, and say nothing without it.
    package let isKeyed: Bool

    /// nil when the record is damaged.
    package init?(_ record: ByteView) {
        var reader = ByteReader(record)
        let field = reader.text()
        guard !reader.failed, reader.isAtEnd else { return nil }
        isKeyed = field.count % StoredIDs.hashSize == 1
        guard !isKeyed || field[0] == StoredIDs.keyedMark else { return nil }
        hashes = isKeyed ? ByteView(start: field.start.map { $0 + 1 }, count: field.count - 1) : field
        guard hashes.count % StoredIDs.hashSize == 0, hashes.count <= StoredIDs.most * StoredIDs.hashSize else { return nil }
    }
}
