import ArgumentParser
import Engine
import Foundation
import KafkaIO
import Logging
import Synchronization

/// Reads a topic to its end and counts.
struct ConsumeMeasurement {
    let brokers: String
    let topic: String
    let readers: Int

    /// For how long the ends are waited for.
    private static let endsTimeout = Duration.seconds(30)

    func run() throws {
        let cpu = Figures.processSeconds
        let wall = Date()
        let settings = KafkaSettings(properties: ["bootstrap.servers": brokers], defaultGroup: "benchmark")
        let source = try KafkaSource(settings, logger: Logger(label: "benchmark"))
        let partitions = (0..<(try source.partitionCount(of: topic))).map { TopicPartition(topic: topic, partition: $0) }
        try source.open(partitions.map { SourceAssignment(partition: $0, position: nil) })
        let ends = source.ends(of: partitions, timeout: ConsumeMeasurement.endsTimeout)
        guard ends.count == partitions.count else {
            throw ValidationError("nobody says where \(topic) ends; check that the broker at \(brokers) is up")
        }
        let total = Mutex(0)
        let failed = Mutex<String?>(nil)
        DispatchQueue.concurrentPerform(iterations: readers) { number in
            let own = partitions.filter { $0.partition % readers == number }
            do {
                let count = try read(own, ends, from: source)
                total.withLock { $0 += count }
            } catch {
                failed.withLock { $0 = "\(error)" }
            }
        }
        if let failure = failed.withLock({ $0 }) { throw ValidationError(failure) }
        let count = total.withLock { $0 }
        let seconds = Date().timeIntervalSince(wall)
        Figures.show(
            "consume", perMillion: (Figures.processSeconds - cpu) / Double(count) * 1e6,
            String(format: "%d records, %.0f a second", count, Double(count) / seconds)
        )
    }

    private func read(_ partitions: [TopicPartition], _ ends: [TopicPartition: Int64], from source: KafkaSource) throws -> Int {
        guard !partitions.isEmpty else { return 0 }
        let reader = try source.makeReader(of: partitions)
        var unfinished = Set(partitions)
        var count = 0
        while !unfinished.isEmpty {
            try reader.poll(maximumRecords: 4096, timeout: .milliseconds(100)) { event in
                switch event {
                case .records(_, let records): count += records.count
                case .end(let partition, let next): if next >= ends[partition] ?? 0 { unfinished.remove(partition) }
                }
            }
        }
        return count
    }
}
