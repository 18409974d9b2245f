import Engine
import Foundation
import TestSupport
import Testing

/// A directory of generated traffic, in order of time, whose streams get more partitions at some point, beside one in which
/// they never do.
final class GrowingLog {
    /// Streams of two partitions, with everything in them.
    let steady: TemporaryDirectory
    /// What was there before the growth; `grow` adds the rest.
    let growing: TemporaryDirectory

    static let before = 2
    /// Records of both streams so far.
    private(set) var records = 0

    private struct Line {
        let text: String
        let time: String
        let customer: String
    }

    /// By topic.
    private var late: [String: [Line]] = [:]
    private static let transactionsTopic = GoldenCase.streams[0]
    private static let sessionsTopic = GoldenCase.streams[1]
    private static let growthTime = "2025-01-15T12:03:40"
    private static let repeatedSince = "2025-01-15T12:03:30"

    init() throws {
        let generated = try TemporaryDirectory("tidemark-log")
        let run = try TidemarkBinary.run([
            "generate", "--out", generated.path, "--transactions", "4000", "--customers", "300", "--rate", "10", "--sessions-first",
        ])
        try #require(run.status == 0, "\(run.errors)")
        (steady, growing) = (try TemporaryDirectory("tidemark-steady"), try TemporaryDirectory("tidemark-growing"))
        for topic in GoldenCase.referenceTopics where !GoldenCase.streams.contains(topic) {
            for log in [steady, growing] {
                try FileManager.default.copyItem(atPath: generated.file("\(topic).jsonl"), toPath: log.file("\(topic).jsonl"))
            }
        }
        // Sessions are looked up, too: what comes later must not change what earlier transactions find.
        let transactions = try GrowingLog.lines(generated.file("\(GrowingLog.transactionsTopic).jsonl"), "created_at").filter {
            !GrowingLog.hasSessionsAlone($0.customer)
        }
        let sessions = try GrowingLog.lines(generated.file("\(GrowingLog.sessionsTopic).jsonl"), "started_at").filter {
            $0.time < GrowingLog.growthTime || GrowingLog.hasSessionsAlone($0.customer)
        }
        let broken = Line(text: #"{"id":"broken""#, time: "", customer: "nobody")
        try divide(
            [broken] + transactions, of: GrowingLog.transactionsTopic,
            repeating: transactions.filter { GrowingLog.repeatedSince <= $0.time && $0.time < GrowingLog.growthTime })
        try divide(sessions, of: GrowingLog.sessionsTopic, repeating: [])
    }

    private static func hasSessionsAlone(_ customer: String) -> Bool { partition(customer, 5) == 0 }

    static func partition(_ customer: String, _ partitions: Int) -> Int {
        Array(customer.utf8).withUnsafeBytes { murmur2Partition(of: ByteView($0), partitions: partitions) }
    }

    private static func lines(_ path: String, _ time: String) throws -> [Line] {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            let record = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            return Line(
                text: String(line), time: try #require(record[time] as? String), customer: try #require(record["customer_id"] as? String))
        }.sorted { $0.time < $1.time }
    }

    private func divide(_ lines: [Line], of topic: String, repeating repeated: [Line]) throws {
        let early = lines.filter { $0.time < GrowingLog.growthTime }
        let late = repeated + lines.filter { $0.time >= GrowingLog.growthTime }
        #expect(!early.isEmpty && late.count > 5)
        try GrowingLog.append(early + late, to: topic, of: GrowingLog.before, in: steady)
        try GrowingLog.append(early, to: topic, of: GrowingLog.before, in: growing)
        self.late[topic] = late
        records += early.count
    }

    /// The rest of the traffic comes, to more partitions.
    func grow(to partitions: Int) throws {
        for (topic, lines) in late { try GrowingLog.append(lines, to: topic, of: partitions, in: growing) }
        records += late.values.reduce(0) { $0 + $1.count }
        late = [:]
    }

    /// What comes later, in files to be appended to those of the growing log.
    func laterFiles(of partitions: Int) throws -> TemporaryDirectory {
        let later = try TemporaryDirectory("tidemark-later")
        for (topic, lines) in late { try GrowingLog.append(lines, to: topic, of: partitions, in: later) }
        return later
    }

    private static func append(_ lines: [Line], to topic: String, of partitions: Int, in log: TemporaryDirectory) throws {
        try FileManager.default.createDirectory(atPath: log.file(topic), withIntermediateDirectories: true)
        for number in 0..<partitions {
            let text = lines.filter { partition($0.customer, partitions) == number }.map { $0.text + "\n" }.joined()
            let path = log.file("\(topic)/\(number).jsonl")
            let before = FileManager.default.contents(atPath: path) ?? Data()
            // In place: a file that is read must stay the one that it was.
            if before.isEmpty {
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            } else {
                let file = try #require(FileHandle(forWritingAtPath: path))
                try file.seekToEnd()
                try file.write(contentsOf: Data(text.utf8))
                try file.close()
            }
        }
    }
}
