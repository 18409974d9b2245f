import Engine
import FintechJob
import TestSupport
import Testing

@Suite("Stored records with fields at their limits are refused, naming table and key, or added to; none ends the process")
struct ExtremeRecordTests {
    /// Every table of every stage, with each of its records at their limits, goes on with another transaction, and to its end.
    @Test func everyTableOfTheJob() throws {
        for stage in ["transactions", "sessions"] as [StageName] {
            for schema in FintechTask(stage: stage).schemas {
                for record in ExtremeRecords.records(schema) {
                    let task = FintechTask(stage: stage)
                    guard task.store(record, for: "c", in: schema) else { continue }
                    do {
                        try task.process(
                            stage == "transactions"
                                ? JobRun.transaction(at: 1, "\"merchant_id\":\"c\",\"location\":{\"country\":\"DE\"}")
                                : JobRun.session("s", at: 1))
                        try task.raiseWatermark(to: .max - 1)
                        task.cut()
                    } catch let failure as any Failure {
                        #expect(failure.kind == .corrupt, "\(schema.table): \(failure)")
                        #expect(failure.description.contains(schema.table), "\(schema.table): \(failure)")
                    }
                }
            }
        }
    }

    /// What traps where nothing is checked: a difference of bucket numbers, a sum, a mean of nothing.
    @Test func sumsByBucketAreKeptOrRefused() {
        var sums = BucketSums()
        sums.add(1, to: .min, keeping: 24)
        sums.add(2, to: .max, keeping: 24)
        sums.add(3, to: .min, keeping: 24)
        #expect(sums.total == 2)
        sums.add(.max, to: .max, keeping: 24)
        #expect(sums.total == Int128(Int64.max) + 2)
    }

    @Test func aWindowAtTheEndsOfTimeIsThere() {
        #expect(Window(containing: .distantPast, span: .minutes(1)).start == .distantPast)
        #expect(Window(containing: .distantFuture, span: .minutes(1)).end == .distantFuture)
    }
}
