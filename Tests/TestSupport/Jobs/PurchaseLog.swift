import Engine
import Simulation

/// Logs of purchases drawn from a seed: uneven partitions, empty ones, long silences, records that are far too late.
package struct PurchaseLog {
    /// Each partition's records in log order.
    package private(set) var partitions: [[SimulatedLog.Record]] = []

    /// Records are at most this far behind their arrival, unless they are meant to be late.
    private static let disorder = 2_000

    /// `isThereAtOnce`: every record is there from the start, for a run to the end alone. Of a job that loses the order of
    /// its partitions nothing is late, because nobody could say what is; its customers live in any partition.
    package init(of job: PurchaseJob, partitions count: Int, isThereAtOnce: Bool, random: inout SeededRandom) {
        let length = random.number(in: 20_000...90_000)
        for partition in 0..<count {
            let end = random.percent(8) ? 0 : random.percent(25) ? random.number(in: 0...length) : length
            let pace = random.number(in: 100...2_000)
            partitions.append(PurchaseLog.records(of: job, partition, until: end, pace: pace, isThereAtOnce, &random))
        }
    }

    private static func records(
        of job: PurchaseJob, _ partition: Int, until end: Int, pace: Int, _ isThereAtOnce: Bool, _ random: inout SeededRandom
    ) -> [SimulatedLog.Record] {
        // Window starts are multiples of ten seconds; this is one.
        let origin = 1_700_000_000_000
        var records: [SimulatedLog.Record] = []
        var now = random.number(in: 0...pace)
        var greatest: Int?
        while now < end {
            var time = origin + now - random.number(in: 0...disorder)
            if let greatest, random.percent(4), job != .rekeyed { time = greatest - 25_001 - random.number(in: 0...20_000) }
            let isNonsense = random.percent(3)
            // Only what can be used moves a watermark.
            if !isNonsense { greatest = max(greatest ?? time, time) }
            let customer = "c\(job == .rekeyed ? 0 : partition)-\(random.number(in: 0...7))"
            let purchase = "\(customer) s\(random.number(in: 0...4)) \(random.number(in: -50...500)) \(time)"
            var value = Array((isNonsense ? "nonsense-\(now)" : purchase).utf8)
            if job == .once, !records.isEmpty, random.percent(15) { value = records[random.number(in: 0...(records.count - 1))].value }
            records.append(SimulatedLog.Record(arrival: isThereAtOnce ? .zero : .milliseconds(now), key: [], value: value))
            now += random.percent(2) ? random.number(in: 20_000...job.longestSilence) : random.number(in: 0...pace)
        }
        return records
    }

    package var simulated: SimulatedLog {
        SimulatedLog(
            records: Dictionary(
                uniqueKeysWithValues: partitions.enumerated().map {
                    (TopicPartition(topic: PurchaseJob.topic, partition: $0), $1)
                }))
    }

    package var values: [[String]] { partitions.map { $0.map { String(decoding: $0.value, as: UTF8.self) } } }
}
