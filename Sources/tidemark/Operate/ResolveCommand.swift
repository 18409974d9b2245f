import ArgumentParser
import ClickHouseSink
import CommandLineParts
import Configuration
import Engine
import Foundation
import KafkaIO
import SQLiteState

/// `tidemark resolve`
struct ResolveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Resolves a batch that the job stopped at, because ClickHouse has its rows in part.",
        discussion: """
            That happens when rows of a batch were deleted, or written by somebody else, before it was known to be \
            delivered. "delivered" takes what is in the table as it is; "resend-missing" sends the rows that are not there \
            and no others. The worker has to be stopped.
            """,
        aliases: [formerName]
    )

    private static let formerName = "settle"

    @OptionGroup var options: ConfigurationOptions

    @Option(help: ArgumentHelp("The batch, as the error names it.", valueName: "table:number"))
    var batch: String

    @Option(name: .customLong("as"), help: ArgumentHelp("What is to become of it.", valueName: "delivered|resend-missing"))
    var verdict: Verdict

    enum Verdict: String, ExpressibleByArgument, CaseIterable {
        case delivered
        case resendMissing = "resend-missing"
    }

    func validate() throws {
        if name == nil { throw ValidationError("--batch: expected table:number such as customer_transaction_metrics:17, found \(batch)") }
    }

    private var name: (table: String, number: UInt64)? {
        guard let colon = batch.lastIndex(ofSign: ":"), colon > batch.startIndex,
            let number = UInt64(batch[batch.utf8.index(after: colon)...])
        else { return nil }
        return (String(batch[..<colon]), number)
    }

    func run() throws {
        if CommandLine.arguments.dropFirst().first == ResolveCommand.formerName {
            Console.writeNote("`settle` is called `resolve` now; it works as before")
        }
        guard let name else { throw CleanExit.helpRequest(self) }
        let configuration = try options.load()
        let parts = JobParts(configuration: configuration, logger: LogOutput.start(configuration.log, redactor: configuration.redactor))
        guard FileManager.default.fileExists(atPath: configuration.state.directory + "/state.db") else {
            throw CommandError(
                .missing, "there is no state in \(configuration.state.directory), so no batch to resolve; see to state.directory")
        }
        let store = try parts.makeStore()
        let restored = try store.open(parts.topology(over: store.fixedSettings()))
        if let table = restored.outboxTables(of: parts.topology).first(where: { $0.name == name.table && $0.sink == KafkaOutput.name }) {
            return try resolve(table, name.number, parts, store, restored)
        }
        let found = try batch(name.table, name.number, in: restored)
        let result =
            switch verdict {
            case .delivered: "taken as delivered"
            case .resendMissing: try resend(found, restored, parts)
            }
        let cut = EpochCut(epoch: restored.epoch.next, tasks: [], frozen: [], delivered: [found.id], wallClock: WallTime.now.milliseconds)
        try store.commit(cut)
        Console.writeResult("\(found.id): \(result)")
    }

    private func batch(_ table: String, _ number: UInt64, in restored: RestoredState) throws -> SinkBatch {
        let waiting = restored.outbox.flatMap(\.undelivered)
        if let found = waiting.first(where: { $0.table == table && $0.number.number == number }),
            let first = waiting.first(where: { $0.table == table })
        {
            // Batches count up to the last one that was delivered: one that is resolved before its turn would end that.
            guard first.id == found.id else {
                throw CommandError(.invalid, "batch \(found.id) waits behind others of its table; resolve \(first.id) first")
            }
            return found
        }
        let others = waiting.isEmpty ? "none is undelivered" : "undelivered are " + waiting.map(\.id.description).joined(separator: ", ")
        throw CommandError(.missing, "the state holds no undelivered batch \(table):\(number); \(others)")
    }

    /// In Kafka a batch is there as a whole or not at all, so a word on its ledger resolves it.
    private func resolve(_ table: OutboxTable, _ number: UInt64, _ parts: JobParts, _ store: SQLiteStateStore, _ restored: RestoredState)
        throws
    {
        let known = SinkTable(table, restored)
        let (delivered, frozen) = (known.lastDelivered?.number ?? 0, known.lastFrozen?.number ?? 0)
        guard number > 0, number == delivered || number == delivered + 1, number <= frozen, verdict == .delivered || number > delivered
        else {
            let next = delivered < frozen ? ", and \(delivered + 1) is the next" : ""
            throw CommandError(
                .missing, "\(table.name):\(number) is no batch to resolve so: batches up to \(delivered) were delivered\(next)")
        }
        let last = BatchNumber(verdict == .delivered ? number : number - 1)
        try parts.makeKafkaOutput()?.resolve(
            table, as: SinkLedger(lineage: restored.lineage, number: last, stateIdentity: restored.identity))
        if verdict == .delivered && number > delivered {
            let id = SinkBatchID(table: table.name, lineage: restored.lineage, number: last)
            try store.commit(
                EpochCut(epoch: restored.epoch.next, tasks: [], frozen: [], delivered: [id], wallClock: WallTime.now.milliseconds))
        }
        let result = verdict == .delivered ? "taken as delivered" : "the next run sends it"
        Console.writeResult("\(table.name):\(number): \(result)")
    }

    /// The batch's rows are what their own layout says, also of a table that this version of the job declares otherwise or not at all.
    private func resend(_ batch: SinkBatch, _ restored: RestoredState, _ parts: JobParts) throws -> String {
        let known = restored.outbox.first { $0.table == batch.table }?.layouts ?? []
        let before = try BatchRepair(parts.clickHouseSettings, table: batch.layout, known: known, log: parts.logger).resendMissing(batch)
        return "\(before.expected - before.missing.count) of \(before.expected) rows were there, \(before.missing.count) were sent"
    }
}
