import Engine
import Foundation
import Synchronization
import TestSupport

@testable import ClickHouseSink

/// A table with batches of several lineages, and what has to be rolled back in it.
struct RollbackFixture {
    let sinks: SinkFixture
    var settings: ClickHouseSettings
    /// What is left of a worker of lineage 2 that does not know of lineage 3.
    let zombie: ClickHouseSink

    /// Batches 1 to 3 of lineages 1 and 2, and batch 1 of lineage 3.
    init(_ version: ServerVersion, zombie change: (inout ClickHouseSettings) -> Void = { _ in }) throws {
        sinks = try SinkFixture(version)
        settings = sinks.settings()
        settings.logInterval = .milliseconds(50)
        var zombieSettings = settings
        change(&zombieSettings)
        let first = try sinks.sink(Waves.table, lineage: 1)
        for number in 1...3 as ClosedRange<UInt64> { try first.deliver(Waves.batch(number)) }
        zombie = try sinks.sink(Waves.table, settings: zombieSettings, lineage: 2)
        for number in 1...3 as ClosedRange<UInt64> { try zombie.deliver(Waves.batch(number, lineage: 2)) }
        try sinks.sink(Waves.table, lineage: 3).deliver(Waves.batch(1, lineage: 3))
    }

    var server: any TestClickHouse { sinks.server }
    var table: String { "\(sinks.database).waves" }

    /// Lineage 3 counts batches 1 and 2 of lineage 1, and batch 1 of lineage 2.
    static func plan(_ stage: RollbackPlan.Stage = .due) -> RollbackPlan {
        let ends = [LineageEnd(lineage: Lineage(1), lastBatch: BatchNumber(2)), LineageEnd(lineage: Lineage(2), lastBatch: BatchNumber(1))]
        return RollbackPlan(stage: stage, lineage: Lineage(3), tables: ["waves": ends])
    }

    static let rolledBackRows = 15

    /// Lineage and batch of what the job's rows are in the end.
    static let remaining = [["1", "1", "5"], ["1", "2", "5"], ["2", "1", "5"], ["3", "1", "5"]]

    /// Lineage, batch and number of rows.
    func batches(job: String = "waves") throws -> [[String]] {
        try server.rows(
            "SELECT _lineage, _batch, count() FROM \(table) WHERE _task = '\(job)/clickhouse' GROUP BY _lineage, _batch ORDER BY _lineage, _batch"
        )
    }

    /// How many mutations the table has had.
    func mutations(_ condition: String = "1") throws -> Int {
        try server.rows("SELECT 1 FROM system.mutations WHERE database = '\(sinks.database)' AND \(condition)").count
    }

    @discardableResult
    func rollBack(_ stage: RollbackPlan.Stage = .due) throws -> RollbackOutcome {
        try ClickHouseSink(settings, log: sinks.log.logger).rollBack(
            RollbackFixture.plan(stage), from: [Waves.table.name], isCancelled: { false })
    }

    /// A rollback on a thread of its own.
    func begin() throws -> RunningRollback { RunningRollback(try ClickHouseSink(settings, log: sinks.log.logger)) }
}

final class RunningRollback: Sendable {
    private let ending = Mutex<Result<RollbackOutcome, any Error>?>(nil)
    private let isCancelled = Atomic(false)

    init(_ sink: ClickHouseSink) {
        Thread { [self] in
            let outcome = Result {
                try sink.rollBack(
                    RollbackFixture.plan(), from: [Waves.table.name], isCancelled: { self.isCancelled.load(ordering: .relaxed) })
            }
            ending.withLock { $0 = outcome }
        }.start()
    }

    var hasEnded: Bool { ending.withLock { $0 != nil } }
    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    func outcome() throws -> RollbackOutcome? {
        try waitUntil("the rollback ends") { hasEnded }
        return try ending.withLock { try $0?.get() }
    }
}
