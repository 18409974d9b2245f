/// The members of groups in tumbling windows, for exact counts of many distinct names: the customers of each merchant
/// and minute, say. A few names a key are cheaper in a `TextSet` of the record. Ask for it with `TaskSetup.members`.
///
/// A member is stored once a window, and asked for by one look-up however many there are. The windows go when the
/// task's watermark passes their ends.
public final class WindowedSet: SideState {
    private struct Membership: StateRecord {
        /// A record has at least a byte.
        var isMember = true

        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) { visit.field("isMember", &isMember) }
    }

    private let state: WindowedState<Membership>
    private let span: EventSpan
    private var key = ByteWriter()
    private(set) var failure: (any Error)?

    init(name: String, version: Int, span: EventSpan, task: TaskID, cold: any ColdStateReader) {
        self.span = span
        // Whoever may become a group's member in another partition has to be known there.
        let declaration = StateDeclaration(
            table: name, version: version, key: .windowAndKey, span: span, placement: .copied, record: Membership.self
        )
        state = WindowedState(declaration, task: task, cold: cold)
    }

    /// Adds `member` to `group` in the window that holds `time`, which must be open. True when it was not in it.
    public func insert(_ member: ByteView, in group: ByteView, at time: EventTime) -> Bool {
        guard failure == nil else { return false }
        key.removeAll()
        key.write(text: group)
        key.write(raw: member)
        do {
            return try state.insert(key.view, in: Window(containing: time, span: span))
        } catch {
            failure = error
            return false
        }
    }

    var table: any StateTable { state }
    func windowsClosed(through watermark: EventTime) { state.forget(through: watermark) }
}
