import Engine
import Foundation

/// One of the cases in `Tests/Golden`: inputs of the fintech job and the exact rows that they must produce.
package struct GoldenCase: Sendable, CustomStringConvertible {
    package let name: String
    /// How many partitions the two streams have; reference topics have one.
    package let partitions: Int
    /// The case whose input this one has, and whose rows where it has none of its own.
    private let base: String

    package static let basic = GoldenCase(name: "basic")
    package static let basicInEightPartitions = GoldenCase(name: "basic-8", partitions: 8, base: "basic")
    package static let rules = GoldenCase(name: "rules")
    package static let edge = GoldenCase(name: "edge")
    package static let all = [basic, basicInEightPartitions, rules, edge]

    package static let streams = ["fintech.public.transactions", "fintech.public.customer_sessions"]
    package static let referenceTopics = ["fintech.public.customers", "fintech.public.accounts", "fintech.public.merchants"]

    private init(name: String, partitions: Int = 1, base: String? = nil) {
        self.name = name
        self.partitions = partitions
        self.base = base ?? name
    }

    package var description: String { name }

    /// The values of a topic's records in the order of its log, by partition.
    package func input(_ topic: String) throws -> [[[UInt8]]] {
        var lines = try GoldenFile.read("\(base)/input/\(topic).jsonl").split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        let values = lines.map { Array($0) }
        guard partitions > 1, GoldenCase.streams.contains(topic) else { return [values] }
        var parts = Array(repeating: [[UInt8]](), count: partitions)
        for value in values { parts[try partition(of: value, in: topic)].append(value) }
        return parts
    }

    private func partition(of value: [UInt8], in topic: String) throws -> Int {
        guard let row = try JSONSerialization.jsonObject(with: Data(value)) as? [String: Any], let customer = row["customer_id"] as? String
        else {
            throw GoldenError(description: "\(name): a record of \(topic) names no customer to partition it by")
        }
        return Array(customer.utf8).withUnsafeBytes { murmur2Partition(of: ByteView($0), partitions: partitions) }
    }

    /// The rows that a table must have after a bounded run.
    package func expectedRows(of table: String) throws -> [GoldenRow] {
        let path = GoldenFile.exists("\(name)/expected/\(table).jsonl") ? name : base
        let lines = try GoldenFile.read("\(path)/expected/\(table).jsonl").split(separator: UInt8(ascii: "\n"))
        return try lines.map { try GoldenRow(json: Data($0)) }
    }

    /// Writes the input as a directory that a job can read: `<topic>.jsonl`, or `<topic>/<partition>.jsonl`.
    package func layOutInput(in directory: String) throws {
        for topic in GoldenCase.streams + GoldenCase.referenceTopics {
            let parts = try input(topic)
            if parts.count == 1 {
                try write(parts[0], to: "\(directory)/\(topic).jsonl")
            } else {
                try FileManager.default.createDirectory(atPath: "\(directory)/\(topic)", withIntermediateDirectories: true)
                for (number, part) in parts.enumerated() { try write(part, to: "\(directory)/\(topic)/\(number).jsonl") }
            }
        }
    }

    private func write(_ values: [[UInt8]], to path: String) throws {
        var bytes = Data()
        for value in values {
            bytes.append(contentsOf: value)
            bytes.append(UInt8(ascii: "\n"))
        }
        try bytes.write(to: URL(fileURLWithPath: path))
    }
}

/// Something is wrong with the golden files themselves.
package struct GoldenError: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// The files below `Tests/Golden`, plain or compressed.
enum GoldenFile {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Golden").path

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(root)/\(path)") || FileManager.default.fileExists(atPath: "\(root)/\(path).gz")
    }

    static func read(_ path: String) throws -> Data {
        if let plain = FileManager.default.contents(atPath: "\(root)/\(path)") { return plain }
        let gzip = try ChildProcess("/usr/bin/gzip", ["-dc", "\(root)/\(path).gz"])
        guard gzip.waitForExit() == 0, let data = FileManager.default.contents(atPath: gzip.outputPath) else {
            throw GoldenError(description: "gzip could not read \(root)/\(path).gz: \(gzip.errors)")
        }
        return data
    }
}
