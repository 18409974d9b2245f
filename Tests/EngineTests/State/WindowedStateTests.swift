import Simulation
import Synchronization
import Testing

@testable import Engine

@Suite("Open windows hold what was added, whether it lies in memory or in the file")
struct WindowedStateTests {
    struct Sum: StateRecord {
        var sum: Int64 = 0
        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) { visit.field("sum", &sum) }
    }

    /// A file of keyed rows that deltas are compacted into.
    private final class Rows: ColdStateReader {
        private let rows = Mutex<[[UInt8]: [UInt8]]>([:])
        private let reads = Mutex(0)
        var readCount: Int { reads.withLock { $0 } }

        func compact(_ delta: StateDelta) {
            _ = delta.bytes.withView { bytes in
                StateDelta.forEachChange(in: bytes) { change in
                    switch change {
                    case .windowClosed(let prefix):
                        let closed = prefix.copy()
                        rows.withLock { rows in rows = rows.filter { !$0.key.starts(with: closed) } }
                    case .removed(let key): rows.withLock { [key = key.copy()] in $0[key] = nil }
                    case .stored(let key, let record): rows.withLock { [key = key.copy(), record = record.copy()] in $0[key] = record }
                    }
                }
            }
        }

        var all: [(key: [UInt8], record: [UInt8])] {
            rows.withLock { $0.map { ($0.key, $0.value) } }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        }

        func read(task: TaskID, table: String, key: ByteView, _ body: (ByteView) -> Void) {
            reads.withLock { $0 += 1 }
            guard let record = rows.withLock({ [key = key.copy()] in $0[key] }) else { return }
            record.withView(body)
        }

        func scan(task: TaskID, table: String, prefix: ByteView, _ body: (ByteView, ByteView) -> Void) {
            let wanted = prefix.copy()
            for (key, record) in all where key.starts(with: wanted) { key.withView { key in record.withView { body(key, $0) } } }
        }
    }

    private static func make(_ rows: Rows) -> WindowedState<Sum> {
        let declaration = StateDeclaration(table: "sums", version: 1, key: .windowAndKey, span: .seconds(1), record: Sum.self)
        return WindowedState(declaration, task: TaskID(stage: "stage", partition: 0), cold: rows)
    }

    /// Random additions, cuts, compacts, evictions and restarts with little memory; the windows close with the right sums.
    @Test(arguments: 0..<30 as Range<UInt64>)
    func windowsCloseWithWhatWasAdded(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let rows = Rows()
        var state = WindowedStateTests.make(rows)
        var (cuts, compacted): (UInt32, UInt32) = (0, 0)
        var uncompacted: [StateDelta] = []
        var model: [Int64: [String: Int64]] = [:]
        var closed = Int64(0)
        for _ in 0..<1_500 {
            switch Int.random(in: 0..<14, using: &random) {
            case 0..<8:
                let start = closed + 1_000 * Int64.random(in: 0...3, using: &random)
                let key = "key \(Int.random(in: 0..<60, using: &random))"
                let amount = Int64.random(in: -100...100, using: &random)
                let window = Window(start: EventTime(milliseconds: start), end: EventTime(milliseconds: start + 1_000))
                try key.withBytes { key in try state.update(key, in: window) { $0.sum += amount } }
                model[start, default: [:]][key, default: 0] += amount
            case 8:
                if let delta = state.cut() { uncompacted.append(delta) }
                cuts += 1
            case 9 where compacted < cuts:
                for delta in uncompacted { rows.compact(delta) }
                uncompacted = []
                compacted = cuts
            case 10, 11: _ = state.release(compactedThrough: compacted, evicting: Int.random(in: 0...4_000, using: &random))
            case 12:
                var found: [Int64: [String: Int64]] = [:]
                let through = closed + 1_000 * Int64.random(in: 0...2, using: &random)
                try state.close(through: EventTime(milliseconds: through)) { window, key, record in
                    #expect(found[window.start.milliseconds, default: [:]].updateValue(record.sum, forKey: key.text) == nil)
                }
                #expect(found == model.filter { $0.key + 1_000 <= through })
                model = model.filter { $0.key + 1_000 > through }
                closed = through
            case 13:
                // A restart that loads only some of the keyed rows.
                if let delta = state.cut() { uncompacted.append(delta) }
                let budget = Int.random(in: 0...40, using: &random)
                state = WindowedStateTests.make(rows)
                restore(state, rows, budget: budget, uncompacted)
                (cuts, compacted) = (0, 0)
            default: break
            }
        }
        #expect(rows.readCount > 0)
        #expect(state.lastOpenWindowEnd?.milliseconds == model.keys.max().map { $0 + 1_000 })
    }

    private func restore(_ state: WindowedState<Sum>, _ rows: Rows, budget: Int, _ uncompacted: [StateDelta]) {
        for (number, row) in rows.all.enumerated() {
            row.key.withView { key in
                row.record.withView { record in
                    #expect(number < budget ? state.restore(.stored(key: key, record: record), isCompacted: true) : state.noteUnloaded(key))
                }
            }
        }
        for delta in uncompacted {
            let complete = delta.bytes.withView { bytes in
                StateDelta.forEachChange(in: bytes) { #expect(state.restore($0, isCompacted: false)) }
            }
            #expect(complete)
        }
    }

    @Test func aDamagedRecordIsNoticed() throws {
        let state = WindowedStateTests.make(Rows())
        let key: [UInt8] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0x61]
        key.withView { key in ([0x80] as [UInt8]).withView { #expect(state.restore(.stored(key: key, record: $0), isCompacted: false)) } }
        #expect(throws: StateDamage.self) { try state.close(through: .distantFuture) { _, _, _ in } }
    }

    @Test func byteOrderOfStoredKeysIsTimeOrder() {
        let times: [Int64] = [.min + 1, -1_000, -1, 0, 1, 1_000, .max]
        let prefixes = times.map { time -> [UInt8] in
            var writer = ByteWriter()
            WindowKey.write(EventTime(milliseconds: time), into: &writer)
            return writer.copy()
        }
        #expect(prefixes == prefixes.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(prefixes.map { prefix in prefix.withView { WindowKey.start(of: $0)?.milliseconds ?? 0 } } == times)
    }
}
