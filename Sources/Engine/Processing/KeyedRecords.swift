/// State that a task keeps beside that of its processors, and that they reach through handles, as they do their rows.
///
/// A processor's calls don't throw: what goes wrong inside a handle is kept, and thrown by the task before anything of
/// the epoch can become durable.
protocol SideState: AnyObject {
    var table: any StateTable { get }
    /// The first read of the durable file that failed.
    var failure: (any Error)? { get }
    /// Windows that end at or before the task's watermark are over.
    func windowsClosed(through watermark: EventTime)
}

/// A record for each key that is kept for ever, such as totals of all time that a windowed aggregate shows with each
/// window it closes. Ask for it with `TaskSetup.records`.
///
/// ```swift
/// mutating func close(_ window: Window, key: ByteView, record: inout Sales) {
///     history.update(key) { $0.add(record); allTime = $0.count }
/// }
/// ```
public final class KeyedRecords<Record: StateRecord>: SideState {
    private let state: KeyedState<Record>
    private(set) var failure: (any Error)?

    init(name: String, version: Int, evolution: StateEvolution, placement: StatePlacement, task: TaskID, cold: any ColdStateReader) {
        let declaration = StateDeclaration(
            table: name, version: version, key: .key, hasTimer: true, evolution: evolution, placement: placement, record: Record.self
        )
        state = KeyedState(declaration, task: task, cold: cold)
    }

    /// Hands the key's record (a fresh one when there is none) to `body`, and stores what it made of it.
    public func update(_ key: ByteView, _ body: (inout Record) -> Void) {
        guard failure == nil else { return }
        do {
            try state.update(key) { body(&$0.record) }
        } catch {
            failure = error
        }
    }

    /// Whether the key has a record; stores nothing.
    public func holds(_ key: ByteView) -> Bool {
        guard failure == nil else { return false }
        do {
            return try state.holds(key)
        } catch {
            failure = error
            return false
        }
    }

    var table: any StateTable { state }
    func windowsClosed(through watermark: EventTime) {}
}
