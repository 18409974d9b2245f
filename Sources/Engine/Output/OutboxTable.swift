/// The rows of one output table on their way to one sink.
///
/// Each sink has its own copy of the rows, its own batches with their numbers, and its own progress: none waits for
/// another, and what one of them knows of its batches is judged without the others.
package struct OutboxTable: Hashable, Sendable {
    package let table: OutputTable
    /// nil: the job's first sink.
    package let sink: SinkName?
    /// False for a table that this version of the job does not have: rows that another version left are still delivered.
    package let isDeclared: Bool

    package init(_ table: OutputTable, sink: SinkName? = nil, isDeclared: Bool = true) {
        self.table = table
        self.sink = sink
        self.isDeclared = isDeclared
    }

    /// What chunks and batches call it, and the state stores: the table's own name, for additional sinks `table@sink`.
    package var name: String { OutboxTable.name(of: table.name, sink: sink) }

    static func name(of table: String, sink: SinkName?) -> String { sink.map { "\(table)@\($0)" } ?? table }

    /// The sink that a stored name says; nil for the job's first.
    package static func sink(ofName name: String) -> SinkName? { parts(ofName: name).sink }

    /// The table's own name in a stored one.
    package static func table(ofName name: String) -> String { parts(ofName: name).table }

    private static func parts(ofName name: String) -> (table: String, sink: SinkName?) {
        guard let at = name.utf8.lastIndex(of: UInt8(ascii: "@")) else { return (name, nil) }
        return (String(name[..<at]), SinkName(String(name[name.utf8.index(after: at)...])))
    }
}

/// Names a sink that gets every row beside the job's first one; part of stored names.
public struct SinkName: Hashable, Sendable, CustomStringConvertible {
    public let text: String
    public init(_ text: String) { self.text = text }
    public var description: String { text }
}

extension TaskCut {
    /// The cut with a copy of its rows for each additional sink. What those write has no partitions by time, so that a
    /// batch takes all rows that there are.
    package func copyingRows(to sinks: [SinkName]) -> TaskCut {
        guard !sinks.isEmpty, !rows.isEmpty else { return self }
        let copies = sinks.flatMap { sink in
            rows.map { chunk in
                let name = OutboxTable.name(of: chunk.id.table, sink: sink)
                let id = ChunkID(table: name, task: chunk.id.task, epoch: chunk.id.epoch, sequence: chunk.id.sequence)
                return OutboxChunk(id: id, layout: chunk.layout, partition: 0, rowCount: chunk.rowCount, bytes: chunk.bytes)
            }
        }
        return TaskCut(
            task: task, watermark: watermark, position: position, deltas: deltas, rows: rows + copies, sent: sent, received: received
        )
    }
}
