/// Where a task has met a key.
public struct KeyPlacement: BitwiseCopyable {
    static let layout = MessageLayout(
        version: 1, fields: [StateField(name: "partition", type: .unsigned), StateField(name: "partitions", type: .unsigned)])

    let key: ByteView
    let partition: UInt64
    /// How many partitions the topic had then; 0 in messages of a version that did not say.
    let partitions: UInt64
}

/// Reads what `PlacementReport` sends.
public struct KeyPlacementDecoder: EventDecoder {
    public func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<KeyPlacement> {
        var reader = ByteReader(record.value)
        let partition = reader.varint()
        let placement = KeyPlacement(key: record.key, partition: partition, partitions: reader.isAtEnd ? 0 : reader.varint())
        guard !reader.failed, reader.isAtEnd else { return .rejected(Rejection("malformed")) }
        return .event(placement, at: .distantPast)
    }
}

/// Remembers in which partition each reported key lives, and stops the job at the first that lives in two. When the topic
/// gets more partitions, each key's home is learnt anew.
final class PlacementWatch: EventProcessor {
    private struct Home: StateRecord {
        var partition: Int64 = -1
        /// How many the topic had when the home was learnt; 0: not known.
        var partitions: UInt64 = 0

        mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
            visit.field("partition", &partition)
            visit.field("partitions", &partitions)
        }
    }

    private let state: KeyedState<Home>
    private let explain: (_ key: String, _ first: Int, _ second: Int) -> String

    /// Beyond this many keys no new ones are remembered.
    static let limit = 1 << 16

    init(name: String, task: TaskID, cold: any ColdStateReader, explain: @escaping (String, Int, Int) -> String) {
        self.explain = explain
        let declaration = StateDeclaration(
            table: name, version: 2, key: .key, hasTimer: true, evolution: .from(1).adding("partitions"), record: Home.self
        )
        state = KeyedState(declaration, task: task, cold: cold)
    }

    var stateTables: [any StateTable] { [state] }
    let lastOpenWindowEnd: EventTime? = nil

    func process(_ events: UnsafeMutableBufferPointer<TimedEvent<KeyPlacement>>) throws {
        for event in events {
            let (key, partition, partitions) = (event.event.key, Int64(event.event.partition), event.event.partitions)
            let isFull = state.table.count >= PlacementWatch.limit
            var home = partition
            try state.update(key) { keyed in
                let isKnown = keyed.record.partition >= 0
                if isKnown && keyed.record.partitions >= partitions {
                    // What was sent before the topic grew says nothing about where the key lives now.
                    if keyed.record.partitions == partitions { home = keyed.record.partition }
                } else if isFull && !isKnown {
                    keyed.isRemoved = true
                } else {
                    keyed.record.partition = partition
                    keyed.record.partitions = partitions
                }
            }
            guard home == partition else { throw MisplacedKey(message: explain(key.text, Int(home), Int(partition))) }
        }
    }

    func advance(to watermark: EventTime, firingTimers: Bool) {}
    func resume(at watermark: EventTime) {}
}

/// A key was met in two partitions of a topic that the job takes to be keyed by it.
struct MisplacedKey: Failure {
    let kind = FailureKind.invalid
    let message: String
    let cause: (any Error)? = nil
}

extension StageTask {
    /// Reports a sample of the keys that this task meets to `stage`, which is made by `TaskSetup.watchPlacement`.
    @discardableResult
    public func reportingPlacement(to stage: StageName, key: @escaping (Decoder.Event) -> ByteView) -> StageTask {
        add(
            PlacementReport(
                messages: messages(to: stage, layout: KeyPlacement.layout), partition: id.partition, of: partitions,
                seed: TableSeed(hashKey, for: KeySample.use), key: key
            ))
    }
}

extension TaskSetup {
    /// The one task of the stage that `StageTask.reportingPlacement` reports to: the first key that was met in two
    /// partitions is an error.
    ///
    /// `name`: of its state table. `explain`: says what is wrong and what to do, given the key and both partitions.
    public func watchPlacement(_ name: String, explain: @escaping (_ key: String, _ first: Int, _ second: Int) -> String) -> StageTask<
        KeyPlacementDecoder
    > {
        decode(with: KeyPlacementDecoder()).add(PlacementWatch(name: name, task: task, cold: environment.cold, explain: explain))
    }
}
