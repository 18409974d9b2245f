import Engine
import Simulation

/// Logs of purchases drawn from a seed: uneven partitions, empty ones, long silences, records that are far too late.
public struct PurchaseLog {
    /// Each partition's records in log order.
    public private(set) var partitions: [[SimulatedLog.Record]] = []

    /// Records are at most this far behind their arrival, unless they are meant to be late.
    private static let disorder = 2_000

    /// `isThereAtOnce`: every record is there from the start, for a run to the end alone.
    public init(partitions count: Int, isThereAtOnce: Bool, random: inout SeededRandom) {
        let length = random.number(in: 20_000...90_000)
        for partition in 0..<count {
            let end = random.percent(8) ? 0 : random.percent(25) ? random.number(in: 0...length) : length
            let pace = random.number(in: 100...2_000)
            partitions.append(PurchaseLog.records(partition, until: end, pace: pace, isThereAtOnce, &random))
        }
    }

    private static func records(_ partition: Int, until end: Int, pace: Int, _ isThereAtOnce: Bool, _ random: inout SeededRandom) -> [SimulatedLog.Record] {
        // Window starts are multiples of ten seconds; this is one.
        let origin = 1_700_000_000_000
        var records: [SimulatedLog.Record] = []
        var now = random.number(in: 0...pace)
        var greatest: Int?
        while now < end {
            var time = origin + now - random.number(in: 0...disorder)
            if let greatest, random.percent(4) { time = greatest - 25_001 - random.number(in: 0...20_000) }
            let isNonsense = random.percent(3)
            // Only what can be used moves a watermark.
            if !isNonsense { greatest = max(greatest ?? time, time) }
            let customer = "c\(partition)-\(random.number(in: 0...7))"
            let purchase = "\(customer) s\(random.number(in: 0...4)) \(random.number(in: -50...500)) \(time)"
            let value = isNonsense ? "nonsense-\(now)" : purchase
            records.append(SimulatedLog.Record(arrival: isThereAtOnce ? .zero : .milliseconds(now), key: [], value: Array(value.utf8)))
            now += random.percent(2) ? random.number(in: 20_000...60_000) : random.number(in: 0...pace)
        }
        return records
    }

    public var simulated: SimulatedLog {
        SimulatedLog(records: Dictionary(uniqueKeysWithValues: partitions.enumerated().map {
            (TopicPartition(topic: PurchaseJob.topic, partition: $0), $1)
        }))
    }

    public var values: [[String]] { partitions.map { $0.map { String(decoding: $0.value, as: UTF8.self) } } }
}
