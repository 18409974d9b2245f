import ArgumentParser
import CommandLineParts
import Configuration
import Engine
import Foundation
import Traffic

/// `tidemark generate`
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Makes reference data and traffic of a bank in the flat Debezium form.",
        discussion: """
            Customers, accounts and merchants first, keyed by id; then transactions and customer sessions, keyed by \
            customer_id. The same options make the same bytes. Writes what was made to standard output, a line a topic.
            """
    )

    @Option(
        name: .customLong("out"),
        help: ArgumentHelp("Write files to this directory: <topic>.jsonl or <topic>/<partition>.jsonl.", valueName: "dir"))
    var directory: String?

    @Option(help: ArgumentHelp("Write to this Kafka cluster; topics that are missing are created.", valueName: "host:port,…"))
    var brokers: String?

    @Option(help: ArgumentHelp("How many transactions.", valueName: "n"))
    var transactions: Int

    @Option(
        help: ArgumentHelp(
            "Transactions a second of event time (1000 unless said); into --brokers, when given, also by the clock.", valueName: "r"))
    var rate: Int?

    @Option(
        help: ArgumentHelp(
            "Event time runs this many times as fast as the clock, so that windows close sooner; with --brokers and --rate, and without --live (whose event time is the clock).",
            valueName: "x"))
    var speedup = 1

    @Flag(
        name: .customLong("sessions-first"), help: "Make all customer sessions before the first transaction, as if they were known already."
    )
    var sessionsFirst = false

    @Flag(
        help:
            "Let event time begin now, not at 2025-01-15T12:00:00Z, and keep to the rate by the clock; with --brokers, and without --speedup."
    )
    var live = false

    @Option(help: ArgumentHelp("How many customers, each with an account.", valueName: "c"))
    var customers = TrafficOptions(transactions: 0).customers

    @Option(help: ArgumentHelp("How many merchants.", valueName: "m"))
    var merchants = TrafficOptions(transactions: 0).merchants

    @Option(help: ArgumentHelp("Another seed makes other traffic.", valueName: "s"))
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp("Partitions of the two streams (with --out 1 unless said; with --brokers as the topics have).", valueName: "p"))
    var partitions: Int?

    @Option(
        help: ArgumentHelp(
            "What the topics' names begin with, in place of fintech.public. (the job's input.topicPrefix).", valueName: "text"))
    var prefix = "fintech.public."

    func validate() throws {
        if (directory == nil) == (brokers == nil) { throw ValidationError("expected either --out or --brokers") }
        if speedup > 1 && (brokers == nil || rate == nil || live) {
            throw ValidationError("--speedup: expected --brokers and --rate with it, and no --live")
        }
        if live && brokers == nil { throw ValidationError("--live: expected --brokers with it") }
        let numbers = [
            ("transactions", transactions), ("rate", rate ?? 1), ("customers", customers), ("merchants", merchants),
            ("partitions", partitions ?? 1), ("speedup", speedup),
        ]
        for (name, value) in numbers where value < 1 {
            throw ValidationError("--\(name): expected a number greater than 0, found \(value)")
        }
    }

    /// Transactions made between two looks at the clock.
    private static let step = 1000

    func run() throws {
        var options = TrafficOptions(transactions: transactions)
        (options.rate, options.customers, options.merchants, options.seed) = (rate ?? options.rate, customers, merchants, seed)
        options.rate = max(1, options.rate / speedup)
        if live { options.start = EventTime(milliseconds: WallTime.now.milliseconds) }
        var generator = TrafficGenerator(options)
        var destination = try makeDestination()
        var counts: [TrafficTopic: Int] = [:]
        var progress = ProgressBar("transactions", total: transactions)
        try generator.makeReferenceData { topic, key, value in
            counts[topic, default: 0] += 1
            try destination.write(topic, key: key, value: value)
        }
        if sessionsFirst {
            // The same generator once more: the same sessions.
            var sessions = TrafficGenerator(options)
            while !sessions.isAtEnd {
                try sessions.makeTraffic(atMost: GenerateCommand.step) { topic, key, value in
                    guard topic == .sessions else { return }
                    counts[topic, default: 0] += 1
                    try destination.write(topic, key: key, value: value)
                }
            }
        }
        let pace = brokers != nil && (live || rate != nil) ? Pace(rate: options.rate * speedup) : nil
        while !generator.isAtEnd {
            let due = min(pace?.waitForMore(than: generator.transactionCount) ?? GenerateCommand.step, GenerateCommand.step)
            try generator.makeTraffic(atMost: due) { topic, key, value in
                if sessionsFirst && topic == .sessions { return }
                counts[topic, default: 0] += 1
                try destination.write(topic, key: key, value: value)
            }
            progress.show(generator.transactionCount)
        }
        try destination.finish()
        progress.finish(generator.transactionCount)
        for topic in TrafficTopic.allCases { Console.writeResult("\(prefix)\(topic.rawValue)\t\(counts[topic, default: 0])") }
    }

    private func makeDestination() throws -> any TrafficDestination {
        if let directory { return try DirectoryDestination(directory, prefix: prefix, partitions: partitions ?? 1) }
        return try KafkaDestination(
            brokers: brokers ?? "", prefix: prefix, partitions: partitions, logger: LogOutput.start(LogSection(), redactor: .none))
    }
}

/// How many transactions are due by the clock.
private struct Pace {
    let rate: Int
    private let start = ContinuousClock.now

    init(rate: Int) { self.rate = rate }

    /// Waits until more than `made` are due; how many more.
    func waitForMore(than made: Int) -> Int {
        while true {
            let (seconds, attoseconds) = (ContinuousClock.now - start).components
            let due = Int(seconds) * rate + Int(Double(attoseconds) / 1e18 * Double(rate)) + 1 - made
            if due > 0 { return due }
            usleep(1000)
        }
    }
}
