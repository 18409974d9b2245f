/// Writes rows of one output table into a task's outbox, column by column in the declared order.
///
/// ```swift
/// rows.begin()
/// rows.text("customerId", key)
/// rows.time("eventTime", window.end)
/// rows.end()
/// ```
/// A column out of order, of another type, or missing at `end()` is a programming error and stops the process.
public final class RowWriter {
    public let table: OutputTable
    let partitioning: RowPartitioning
    private let timeColumn: Int
    private let types: [OutputType]
    private var row = ByteWriter()
    private var column = 0
    private var rowTime = EventTime(milliseconds: 0)

    /// The rows of this epoch by table partition; nearly always one.
    private var open: [OpenChunk] = []
    private var full: [(partition: Int32, rowCount: Int, bytes: [UInt8])] = []
    /// The partition that `cachedDay` belongs to, because rows come in runs of the same day.
    private var cachedDay = Int64.min
    private var cachedPartition: Int32 = 0

    /// A chunk is closed at this many rows, so that batches can be filled by whole chunks.
    static let chunkRows = 20_000
    /// … or at this many bytes.
    static let chunkBytes = 8 << 20

    private struct OpenChunk {
        let partition: Int32
        var rowCount = 0
        var bytes: [UInt8] = []
    }

    /// Bytes of rows written in this epoch.
    package private(set) var epochBytes = 0
    /// Rows written in this epoch.
    package private(set) var epochRows = 0

    init(table: OutputTable, partitioning: RowPartitioning) {
        self.table = table
        self.partitioning = partitioning
        timeColumn = table.timeColumnIndex
        types = table.columns.map(\.type)
    }

    public func begin() {
        precondition(column == 0, "table \(table.name): a row was begun inside another")
        row.removeAll()
    }

    private func next(_ name: StaticString, _ type: OutputType) {
        precondition(
            column < types.count && types[column] == type,
            "table \(table.name): \(name) is not the column to write now, or not of this type")
        assert(
            table.columns[column].name == String(describing: name),
            "table \(table.name): \(name) was written in the place of \(table.columns[column].name)")
        column += 1
    }

    public func text(_ name: StaticString, _ value: ByteView) {
        next(name, .text)
        row.write(text: value)
    }

    public func text(_ name: StaticString, _ value: StaticString) {
        text(name, ByteView(start: value.utf8Start, count: value.utf8CodeUnitCount))
    }

    public func count(_ name: StaticString, _ value: UInt64) {
        next(name, .count)
        row.write(fixed: value)
    }

    public func number(_ name: StaticString, _ value: Double) {
        next(name, .number)
        row.write(fixed: value.bitPattern)
    }

    public func flag(_ name: StaticString, _ value: Bool) {
        next(name, .flag)
        row.write(byte: value ? 1 : 0)
    }

    public func time(_ name: StaticString, _ value: EventTime) {
        if column == timeColumn { rowTime = value }
        next(name, .time)
        row.write(fixed: value.milliseconds)
    }

    /// An amount of money in cents.
    public func amount(_ name: StaticString, cents: Int64) {
        next(name, .amount)
        row.write(fixed: cents)
    }

    /// A sum of money in cents.
    public func sum(_ name: StaticString, cents: Int128) {
        next(name, .sum)
        row.write(fixed: cents)
    }

    public func textCounts(_ name: StaticString, _ value: borrowing TextCounts) {
        next(name, .textCounts)
        row.write(text: value.encodedEntries)
    }

    /// Texts that are already encoded one after the other, each with its varint length.
    public func texts(_ name: StaticString, encoded value: ByteView) {
        next(name, .texts)
        row.write(text: value)
    }

    public func end() {
        precondition(column == types.count, "table \(table.name): the row ended before its last column")
        column = 0
        let partition = partition(of: rowTime)
        let chunk = openChunk(for: partition)
        open[chunk].bytes.append(contentsOf: row.view.buffer)
        open[chunk].rowCount += 1
        epochBytes += row.count
        epochRows += 1
        if open[chunk].rowCount >= RowWriter.chunkRows || open[chunk].bytes.count >= RowWriter.chunkBytes {
            let closed = open.remove(at: chunk)
            full.append((closed.partition, closed.rowCount, RowWriter.fitted(closed.bytes)))
        }
    }

    private func partition(of time: EventTime) -> Int32 {
        let day = time.milliseconds.floorDivided(by: 86_400_000)
        if day != cachedDay {
            cachedDay = day
            cachedPartition = partitioning.partition(of: time)
        }
        return cachedPartition
    }

    private func openChunk(for partition: Int32) -> Int {
        if let found = open.firstIndex(where: { $0.partition == partition }) { return found }
        open.append(OpenChunk(partition: partition))
        return open.count - 1
    }

    /// The bytes without the room that they grew into, where it is much: rows may wait long for their delivery.
    private static func fitted(_ bytes: [UInt8]) -> [UInt8] {
        bytes.capacity - bytes.count > bytes.count / 8 ? bytes.withUnsafeBytes { ByteView($0).copy() } : bytes
    }

    /// Hands the epoch's rows over as chunks.
    func cut(task: TaskID, epoch: Epoch) -> [OutboxChunk] {
        guard epochRows > 0 else { return [] }
        let closed = full + open.map { ($0.partition, $0.rowCount, RowWriter.fitted($0.bytes)) }
        full.removeAll()
        open.removeAll()
        epochBytes = 0
        epochRows = 0
        return closed.enumerated().map { sequence, chunk in
            let id = ChunkID(table: table.name, task: task, epoch: epoch, sequence: sequence)
            return OutboxChunk(id: id, layout: table, partition: chunk.partition, rowCount: chunk.rowCount, bytes: chunk.bytes)
        }
    }
}
