/// A reference topic that a topology declares: small, read whole before the first stream record, then followed.
public struct Reference: Sendable {
    /// What tasks ask for it by (`TaskSetup.reference`); stored with its records.
    public let name: String
    public let topic: String
    /// The shape of its records, stored beside them; another version or shape is read anew from the topic.
    package let schema: StateSchema
    /// Makes what applies the topic's records to the table.
    package let makeReader: @Sendable (ReferenceTable) -> any ReferenceReader
    /// Makes what says of an encoded record whether it is one of this reference's, and sound; for one thread.
    package let makeRecordCheck: @Sendable () -> (ByteView) -> Bool

    public init<Record: StateRecord>(
        _ name: String, topic: String, version: Int, record: Record.Type,
        reader: @escaping @Sendable (ReferenceTable) -> any ReferenceReader
    ) {
        self.name = name
        self.topic = topic
        schema = StateSchema(table: name, version: version, key: .key, record: record)
        makeReader = reader
        makeRecordCheck = {
            var scratch = Record()
            return { FieldDecoder.decode($0, into: &scratch) }
        }
    }
}

/// Applies the records of a reference topic to its table, on one thread, in log order of each partition.
public protocol ReferenceReader: AnyObject {
    /// Applies one record. What can't be used changes nothing and is counted and told by its reason, not rejected: every worker
    /// reads it.
    func apply(_ record: SourceRecord) -> ReferenceOutcome

    /// What of the fields of the last record, which was applied all the same, could not be used.
    var fieldDefects: [FieldDefect] { get }

    /// About what it takes of memory beside its table, such as an index.
    var memoryBytes: Int { get }

    /// What it has met of how the topic is written, and goes by: kept with the table's records, so that a restart decides as if there had
    /// been none. Names of its own; few.
    var notes: Set<String> { get }

    /// Hands over the notes that were kept; called once, before the first record.
    func recall(_ notes: Set<String>)
}

extension ReferenceReader {
    public var fieldDefects: [FieldDefect] { [] }
    public var memoryBytes: Int { 0 }
    public var notes: Set<String> { [] }
    public func recall(_ notes: Set<String>) {}
}

/// What became of a reference record.
public enum ReferenceOutcome: Equatable, Sendable {
    case applied
    /// Not meant for the table, such as a null value where those are ignored.
    case ignored
    case unusable(Rejection)
}

/// A field of a reference record that can't be used, or only by guessing: the record is held without it, or with what it seems to be.
public struct FieldDefect: Sendable {
    /// The reason, with the field.
    public let rejection: Rejection
    /// What its value is, never the value itself: `a number`.
    public let found: StaticString
    /// What it has to be, with what to set for it: `true, false, 1 or 0`.
    public let expected: StaticString

    /// The value was used all the same, by what it seems to be.
    public let isUsed: Bool

    public init(_ rejection: Rejection, found: StaticString, expected: StaticString, isUsed: Bool = false) {
        self.isUsed = isUsed
        self.rejection = rejection
        self.found = found
        self.expected = expected
    }
}
