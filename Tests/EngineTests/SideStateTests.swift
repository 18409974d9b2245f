import TestSupport
import Testing

@testable import Engine

@Suite("State beside a processor's own is cut, restored and checked as that is")
struct SideStateTests {
    private struct Total: StateRecord {
        var count: UInt64 = 0
        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) { visit.field("count", &count) }
    }

    private struct DiskFault: Error {}

    private struct FailingReader: ColdStateReader {
        func read(task: TaskID, table: String, key: ByteView, _ body: (ByteView) -> Void) throws { throw DiskFault() }
        func scan(task: TaskID, table: String, prefix: ByteView, _ body: (ByteView, ByteView) -> Void) throws { throw DiskFault() }
    }

    private func setup(_ cold: any ColdStateReader = NothingEvicted()) -> TaskSetup {
        TaskSetup(
            task: TaskID(stage: "s", partition: 0),
            environment: TaskEnvironment(partitioning: [:], partitions: [:], cold: cold, hashKey: .ofTests))
    }

    private func view(_ text: StaticString) -> ByteView { ByteView(start: text.utf8Start, count: text.utf8CodeUnitCount) }

    private func restore(_ delta: StateDelta?, into table: any StateTable) throws {
        let bytes = try #require(delta).bytes
        var isTaken = true
        let isComplete = bytes.withUnsafeBytes { bytes in
            StateDelta.forEachChange(in: ByteView(bytes)) { isTaken = table.restore($0, isCompacted: false) && isTaken }
        }
        #expect(isComplete && isTaken)
    }

    @Test func recordsAreKeptOverARestart() throws {
        let first = setup().records("totals", version: 1, of: Total.self)
        first.update(view("a")) { $0.count += 2 }
        let second = setup().records("totals", version: 1, of: Total.self)
        try restore(first.table.cut(), into: second.table)
        var found: UInt64 = 0
        second.update(view("a")) { found = $0.count }
        #expect(found == 2)
    }

    @Test func aMemberIsNewOnceAWindowAndGroup() throws {
        let first = setup().windowedSet("members", version: 1, span: .seconds(10))
        let (early, late) = (EventTime(milliseconds: 9_999), EventTime(milliseconds: 10_000))
        #expect(first.insert(view("b"), in: view("a"), at: early))
        #expect(!first.insert(view("b"), in: view("a"), at: EventTime(milliseconds: 0)))
        #expect(first.insert(view("b"), in: view("a"), at: late), "another window")
        #expect(first.insert(view(""), in: view("ab"), at: early), "another group, though the texts together are the same")
        let second = setup().windowedSet("members", version: 1, span: .seconds(10))
        try restore(first.table.cut(), into: second.table)
        #expect(!second.insert(view("b"), in: view("a"), at: early))
        #expect(second.table.cut() == nil, "a member that is known is not stored again")
        second.windowsClosed(through: late)
        try restore(second.table.cut(), into: first.table)
        #expect(first.insert(view("b"), in: view("a"), at: early), "its window was closed")
        #expect(!first.insert(view("b"), in: view("a"), at: late))
    }

    @Test func anUnreadableRecordStopsTheTask() {
        let setup = setup(FailingReader())
        let records = setup.records("totals", version: 1, of: Total.self)
        #expect(records.table.noteUnloaded(view("a")))
        var wasCalled = false
        records.update(view("a")) { _ in wasCalled = true }
        #expect(!wasCalled)
        #expect(throws: DiskFault.self) { try setup.checkSideStates() }
    }

    @Test func aMessageThatCanNotBeUsedIsAnErrorWhereNobodyTakesRejectedOnes() throws {
        let table = ClickJob.table
        let task = setup().decode(with: ClickDecoder()).window(.minutes(1), ClicksPerPage(rows: setup().rows(of: table)))
        let id = MessageBatchID(from: TaskID(stage: "t", partition: 0), to: task.id, epoch: Epoch(1))
        var message = ByteWriter()
        message.write(text: view("home"))
        message.write(text: view("home 1000"))
        let batch = MessageBatch(id: id, count: 1, bytes: message.copy())
        try task.upstreamReached(EventTime(milliseconds: 59_999), firingTimers: true)
        try task.process(batch)
        try task.upstreamReached(EventTime(milliseconds: 60_000), firingTimers: true)
        #expect(throws: UnusableMessage.self, "it is late") { try task.process(batch) }
    }
}
