/// A record for each key and tumbling window, for what a task has to know of single events while their windows are open. Ask for it
/// with `TaskSetup.windowedRecords`. The windows go when the task's watermark passes their ends.
public final class WindowedRecords<Record: StateRecord>: SideState {
    private let state: WindowedState<Record>
    private let span: EventSpan
    private(set) var failure: (any Error)?

    init(name: String, version: Int, span: EventSpan, placement: StatePlacement, task: TaskID, cold: any ColdStateReader) {
        self.span = span
        let declaration = StateDeclaration(
            table: name, version: version, key: .windowAndKey, span: span, placement: placement, record: Record.self)
        state = WindowedState(declaration, task: task, cold: cold)
    }

    /// Hands the key's record in the window that holds `time`, which must be open, to `body` (a fresh one when there is none), and
    /// stores what it made of it.
    public func update(_ key: ByteView, at time: EventTime, _ body: (inout Record) -> Void) {
        kept { try state.update(key, in: Window(containing: time, span: span), body) }
    }

    /// As `update`, of a record that is there; where there is none `body` is not called.
    public func amend(_ key: ByteView, at time: EventTime, _ body: (inout Record) -> Void) {
        kept { _ = try state.amend(key, in: Window(containing: time, span: span), body) }
    }

    private func kept(_ body: () throws -> Void) {
        guard failure == nil else { return }
        do { try body() } catch { failure = error }
    }

    var table: any StateTable { state }
    func windowsClosed(through watermark: EventTime) { state.forget(through: watermark) }
}
