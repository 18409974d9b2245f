import Engine
import SQLiteState

/// What a worker needs for its topology's reference topics besides the stream's parts.
public struct ReferenceInput: Sendable {
    /// The durable copy of the tables.
    public let file: ReferenceFile
    /// Makes a source of the reference topics alone, which begins at the start of their logs. It is another one than
    /// the stream's because a topic may be both, read at two places; nothing is ever reported to it. Asked for again
    /// when a log does not fit what the file has of it.
    public let makeSource: @Sendable () throws -> any RecordSource

    public init(file: ReferenceFile, makeSource: @escaping @Sendable () throws -> any RecordSource) {
        self.file = file
        self.makeSource = makeSource
    }
}
