import TestSupport
import Testing

@testable import Engine

@Suite("Messages between tasks travel whole, to the partition of their key, and are processed in order")
struct MessageTests {
    private static let from = TaskID(stage: "clicks", partition: 2)

    private func messages(_ keys: [String], partitions: Int) -> [MessageBatch] {
        let writer = MessageWriter(stage: "merge", layout: MessageLayout(version: 1), from: MessageTests.from, partitions: partitions)
        for (number, key) in keys.enumerated() {
            key.withBytes { key in "payload \(number)".withBytes { writer.send($0, key: key) } }
        }
        let batches = writer.cut(epoch: Epoch(7))
        #expect(writer.epochBytes == 0 && writer.cut(epoch: Epoch(8)).isEmpty)
        return batches
    }

    private func contents(_ batch: MessageBatch) -> [String] {
        var found: [String] = []
        let isWhole = batch.bytes.withView { bytes in
            batch.forEachRecord(in: bytes) { found.append("\($0.offset) \($0.key.text) \($0.value.text)") }
        }
        #expect(isWhole)
        return found
    }

    @Test func eachKeyGoesToOnePartitionInOrder() {
        let keys = (0..<200).map { "key \($0 % 20)" }
        let batches = messages(keys, partitions: 3)
        #expect(
            batches.map(\.id.to.partition) == [0, 1, 2] && batches.allSatisfy { $0.id.from == MessageTests.from && $0.id.epoch == Epoch(7) }
        )
        #expect(batches.reduce(0) { $0 + $1.count } == 200)
        for batch in batches {
            var expected: [String] = []
            for (number, key) in keys.enumerated() where key.withBytes({ murmur2Partition(of: $0, partitions: 3) }) == batch.id.to.partition
            {
                expected.append("\(expected.count) \(key) payload \(number)")
            }
            #expect(contents(batch) == expected)
        }
    }

    @Test func aPartitionThatGetsNothingGetsNoBatch() {
        #expect(messages(["one"], partitions: 64).count == 1)
        #expect(messages([], partitions: 64).isEmpty)
        #expect(contents(messages([""], partitions: 1)[0]) == ["0  payload 0"], "an empty key is a key")
    }

    @Test func aMessageMovesNoWatermarkAndIsNotedAsReceived() throws {
        let clicks = ClickTask()
        let batch = MessageBatch(
            id: MessageBatchID(from: MessageTests.from, to: clicks.task.id, epoch: Epoch(1)), count: 1,
            bytes: [0, 10] + Array("home 90000".utf8))
        try clicks.task.process(batch)
        #expect(clicks.task.watermark == .distantPast)
        try clicks.task.upstreamReached(EventTime(milliseconds: 120_000), firingTimers: true)
        let cut = clicks.task.cut(Epoch(1))
        #expect(cut.received == [batch.id] && cut.position == nil)
        #expect(clickRows(cut.rows) == ["home 120000 1"])
        #expect(clicks.task.cut(Epoch(2)).received.isEmpty)
    }

    @Test(arguments: [[0, 11], [0, 10], [5], [0x80]] as [[UInt8]])
    func aDamagedBatchStopsTheTask(header: [UInt8]) {
        let clicks = ClickTask()
        let bytes = header + Array("home 90000".utf8).dropLast(header == [0, 10] ? 1 : 0)
        let batch = MessageBatch(id: MessageBatchID(from: MessageTests.from, to: clicks.task.id, epoch: Epoch(1)), count: 1, bytes: bytes)
        #expect(throws: MessageDamage.self) { try clicks.task.process(batch) }
    }

    @Test func aBatchWithAnotherCountIsDamaged() {
        let clicks = ClickTask()
        let batch = MessageBatch(
            id: MessageBatchID(from: MessageTests.from, to: clicks.task.id, epoch: Epoch(1)), count: 2,
            bytes: [0, 10] + Array("home 90000".utf8))
        #expect(throws: MessageDamage.self) { try clicks.task.process(batch) }
    }

    @Test func routesKnowWhoSendsToWhomUpstreamFirst() {
        let topology = PurchaseJob.chained.topology
        let turned = Topology(job: "turned", version: 1, stages: topology.stages.reversed())
        for topology in [topology, turned] {
            let routes = TaskRoutes(topology, partitions: [PurchaseJob.topic: 4])
            #expect(routes.topicGroups.map(\.tasks.count) == [4])
            #expect(Set(routes.topicGroups[0].behind.map(\.stage)) == ["shops", "overall"])
            #expect(routes.senders["shops"]?.count == 4 && routes.senders["overall"]?.count == 3)
            var watermarks = Dictionary(
                uniqueKeysWithValues: routes.topicGroups[0].tasks.map { ($0, EventTime(milliseconds: 50 + Int64($0.partition))) })
            #expect(routes.upstreamWatermarks(watermarks)["shops"]?.milliseconds == 50)
            watermarks[TaskID(stage: "purchases", partition: 3)] = nil
            #expect(routes.upstreamWatermarks(watermarks)["shops"] == .distantPast, "one that has said nothing holds them all")
        }
    }
}
