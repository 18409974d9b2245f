import ArgumentParser
import Engine
import FintechJob
import Foundation
import KafkaIO
import Logging
import SQLiteState
import Synchronization
import Worker

/// Starts the fintech job over a directory, waits until its reference tables are complete, and stops it.
struct ReferencesMeasurement {
    let input: String
    let state: String

    func run() throws {
        let store = try SQLiteStateStore(directory: state)
        let file = try ReferenceFile(directory: state)
        let topology = FintechJob.topology(settings: FintechSettings())
        let logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
        let references = ReferenceInput(file: file) { [input] in try DirectorySource(path: input) }
        let worker = Worker(
            topology, settings: WorkerSettings(), source: try DirectorySource(path: input), store: store,
            sink: NoSink(), references: references, logger: logger
        )
        let (cpu, wall) = (Figures.processSeconds, Date())
        let complete = Mutex<Complete?>(nil)
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "watch"))
        timer.setEventHandler {
            let status = worker.status
            guard status.phase == .running, complete.withLock({ $0 == nil }) else { return }
            complete.withLock {
                $0 = Complete(references: status.references, cpu: Figures.processSeconds - cpu, wall: Date().timeIntervalSince(wall))
            }
            worker.drain()
        }
        timer.schedule(deadline: .now(), repeating: .milliseconds(1))
        timer.resume()
        defer { timer.cancel() }
        _ = try worker.run()
        guard let complete = complete.withLock({ $0 }) else {
            throw ValidationError("the job ended before its reference tables were complete")
        }
        show(complete)
    }

    /// The moment at which the first record may be processed.
    private struct Complete {
        let references: [WorkerStatus.Reference]
        let cpu: Double
        let wall: Double
    }

    private func show(_ complete: Complete) {
        let mebibyte = Double(1 << 20)
        for table in complete.references {
            let name = table.name.padding(toLength: 12, withPad: " ", startingAt: 0)
            print(
                name
                    + String(
                        format: "%9d keys  %7.1f MiB  %9d records read", table.keys, Double(table.memoryBytes) / mebibyte,
                        table.counters.total))
        }
        let bytes = (try? FileManager.default.attributesOfItem(atPath: state + "/references.db")[.size] as? Int) ?? 0
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        print(
            String(
                format: "complete after %.1f s, %.1f s of CPU; the process at most %.0f MiB in memory, references.db %.0f MiB",
                complete.wall, complete.cpu,
                Double(usage.ru_maxrss) / 1024, Double(bytes) / mebibyte
            ))
    }
}

/// Takes rows and forgets them: the run ends before it makes any to speak of.
private final class NoSink: BatchSink {
    func open(_ tables: [SinkTable]) -> [String: RowPartitioning] {
        Dictionary(uniqueKeysWithValues: tables.map { ($0.table.name, .none) })
    }

    func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool, isCancelled: @escaping @Sendable () -> Bool) -> DeliveryOutcome { .delivered }
}
