/// How the key of a topic's records is written, as far as it decides on their partitions: some text, the key that state is
/// kept by, some more text.
package struct RecordKeyTemplate: Sendable, Equatable {
    private let before: [UInt8]
    private let after: [UInt8]

    /// The record's key is the state's.
    package static let same = RecordKeyTemplate(before: [], after: [])

    private init(before: [UInt8], after: [UInt8]) {
        self.before = before
        self.after = after
    }

    /// `text`: with `{}` in place of the state's key, such as `{"customer_id":"{}"}`. nil when that is not there, or more than once.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let places = bytes.indices.dropLast().filter { bytes[$0] == UInt8(ascii: "{") && bytes[$0 + 1] == UInt8(ascii: "}") }
        guard places.count == 1 else { return nil }
        self.init(before: Array(bytes[..<places[0]]), after: Array(bytes[(places[0] + 2)...]))
    }

    /// Where Kafka's default partitioner puts the record of a key.
    package func partition(of key: ByteView, among partitions: Int) -> Int {
        guard !(before.isEmpty && after.isEmpty) else { return murmur2Partition(of: key, partitions: partitions) }
        var whole = ByteWriter(capacity: before.count + key.count + after.count)
        before.withUnsafeBytes { whole.write(raw: ByteView($0)) }
        whole.write(raw: key)
        after.withUnsafeBytes { whole.write(raw: ByteView($0)) }
        return murmur2Partition(of: whole.view, partitions: partitions)
    }
}
