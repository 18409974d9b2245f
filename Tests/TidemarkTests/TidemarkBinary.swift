import Engine
import Foundation
import KafkaIO
import Logging
import TestSupport
import Testing

/// The built `tidemark`, beside the test bundle.
enum TidemarkBinary {
    static let path: String = {
        let directory =
            Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
            .map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
            ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
        return directory + "/tidemark"
    }()

    /// Starts the binary, or the one that is named.
    static func start(_ arguments: [String], environment: [String: String] = [:], of binary: String = path) throws -> ChildProcess {
        try ChildProcess(binary, arguments, environment: environment)
    }

    /// Runs the binary to its end.
    @discardableResult
    static func run(_ arguments: [String], environment: [String: String] = [:], of binary: String = path) throws -> FinishedRun {
        let process = try start(arguments, environment: environment, of: binary)
        let status = process.waitForExit()
        return FinishedRun(status: status, output: process.output, errors: process.errors)
    }
}

/// What a run of the binary left: its exit code (or minus the signal) and what it wrote.
struct FinishedRun {
    let status: Int32
    let output: String
    let errors: String
}

/// `tidemark dev` in a process of its own, so that a worker can die without it.
final class DevelopmentBrokerProcess {
    let brokers: String
    let process: ChildProcess

    /// `topics` as the command takes them: `name:partitions`.
    init(topics: [String]) throws {
        process = try TidemarkBinary.start(["dev", "--topics", topics.joined(separator: ",")])
        var ready: String?
        try waitUntil("the development broker is ready") { [process] in
            guard process.isRunning else { throw WaitedTooLong(description: "the development broker ended: \(process.errors)") }
            ready = process.output.split(separator: "\n").first { $0.hasPrefix("ready ") }.map { String($0.dropFirst(6)) }
            return ready != nil
        }
        brokers = ready!
    }

    /// Waits until the transactions' topic holds so many records: with `--sessions-first` everything else is there then,
    /// so that what the reference tables hold does not depend on when a worker starts.
    func waitForTransactions(_ count: Int64, partitions: Int) throws {
        let source = try KafkaSource(
            KafkaSettings(properties: ["bootstrap.servers": brokers], defaultGroup: "waits"), logger: Logger(label: "test"))
        let all = (0..<partitions).map { TopicPartition(topic: GoldenCase.streams[0], partition: $0) }
        try waitUntil("\(count) transactions are in the topic") {
            source.ends(of: all, timeout: .seconds(1)).values.reduce(0, +) >= count
        }
    }

    /// The broker drops what is beyond its memory: then the log is not what was produced, and this says so instead of letting it be
    /// called a loss of ours.
    func requireWholeLog(partitions: Int) throws {
        let source = try KafkaSource(
            KafkaSettings(properties: ["bootstrap.servers": brokers], defaultGroup: "whole-log"), logger: Logger(label: "test"))
        let assignments = GoldenCase.streams.flatMap { topic in
            (0..<partitions).map {
                SourceAssignment(partition: TopicPartition(topic: topic, partition: $0), position: SourcePosition(next: 0, last: nil))
            }
        }
        do {
            try source.open(assignments)
        } catch {
            Issue.record("the development broker has dropped records; this run proves nothing: \(error)")
        }
    }
}
