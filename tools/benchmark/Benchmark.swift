import ArgumentParser
import Engine
import FintechJob
import Foundation

/// Measures what the job's own code costs a record, in CPU time of one thread, without any source, disk or sink.
@main
struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measures the CPU time that decoding and processing transactions take, from values already in memory."
    )

    @Argument(help: "A file of transactions, a record's value a line, such as 'tidemark generate' writes.")
    var file: String

    @Option(help: "How many records to go through in all; the file is gone through again and again.")
    var records = 400_000

    func run() throws {
        let log = try RecordLog(file: file)
        let passes = max(records / log.records.count, 1)
        print("\(log.records.count) records of \(log.byteCount / log.records.count) bytes, \(passes) times over")
        let stage = FintechJob.topology(settings: FintechSettings()).stages[0]

        report("decode", log, passes) {
            let scratch = ScratchMemory()
            var decoder = TransactionDecoder(maxAhead: .hours(1))
            var events = 0
            for start in stride(from: 0, to: log.records.count, by: 1024) {
                scratch.reset()
                for record in log.records[start..<min(start + 1024, log.records.count)] {
                    if case .event = decoder.decode(record, scratch: scratch) { events += 1 }
                }
            }
            return events
        }
        var chunks: [OutboxChunk] = []
        try report("decode and process", log, passes) {
            let environment = TaskEnvironment(partitioning: [:], partitions: [:], cold: NothingEvicted())
            let task = stage.build(TaskSetup(task: TaskID(stage: stage.name, partition: 0), environment: environment))
            try log.records.withUnsafeBufferPointer { try task.process($0) }
            if let end = task.lastOpenWindowEnd { try task.raiseWatermark(to: end, firingTimers: false) }
            chunks = task.cut(Epoch(1)).rows
            return chunks.reduce(0) { $0 + $1.rowCount }
        }
        for table in FintechJob.topology(settings: FintechSettings()).tables {
            try EncodeMeasurement(table, chunks: chunks)?.run(cpuSeconds: cpuSeconds)
        }
    }

    /// Runs `pass` as often as asked and prints the CPU time of the fastest tenth and of all; the machine may be busy.
    private func report(_ name: String, _ log: RecordLog, _ passes: Int, _ pass: () throws -> Int) rethrows {
        var result = 0
        var times: [Double] = []
        for _ in 0..<passes {
            let start = cpuSeconds()
            result = try pass()
            times.append((cpuSeconds() - start) / Double(log.records.count))
        }
        times.sort()
        let best = times[times.count / 10] * 1e6
        let mean = times.reduce(0, +) / Double(times.count) * 1e6
        print(String(format: "%-20@ %6.3f µs/record (mean %.3f, %.0f MB/s, result %d)", name as NSString, best, mean, Double(log.byteCount) / Double(log.records.count) / best, result))
    }

    /// CPU time of this thread.
    private func cpuSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// The records of a file, in memory.
final class RecordLog {
    let records: [SourceRecord]
    let byteCount: Int
    private let memory: UnsafeMutableBufferPointer<UInt8>

    init(file: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: file))
        memory = .allocate(capacity: data.count)
        _ = memory.initialize(from: data)
        let lines = UnsafeBufferPointer(memory).split(separator: UInt8(ascii: "\n"))
        guard !lines.isEmpty else { throw ValidationError("\(file) holds no records; name a file with a JSON value a line") }
        records = lines.enumerated().map { offset, line in
            let view = ByteView(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: line)))
            return SourceRecord(offset: Int64(offset), timestamp: nil, key: .null, value: view)
        }
        byteCount = data.count
    }

    deinit { memory.deallocate() }
}
