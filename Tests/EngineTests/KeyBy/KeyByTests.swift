import TestSupport
import Testing

@testable import Engine

@Suite("Forwarded events are processed as if their topic were keyed by their new key")
struct KeyByTests {
    private struct ClickKeyBy: KeyBy {
        func key(of click: Click) -> ByteView { click.page }
        func encode(_ click: Click, into payload: inout ByteWriter) { payload.write(raw: click.value) }
    }

    /// A click with its value, so that it can be decoded again.
    private struct Click: BitwiseCopyable {
        let page: ByteView
        let value: ByteView
    }

    private struct Decoder: EventDecoder {
        func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Click> {
            switch ClickDecoder().decode(record, scratch: scratch) {
            case .event(let click, let time): .event(Click(page: click.page, value: record.value), at: time)
            case .amendment(let click, let time): .amendment(Click(page: click.page, value: record.value), at: time)
            case .skipped(let name): .skipped(name)
            case .rejected(let rejection): .rejected(rejection)
            }
        }
    }

    private static func topology(partitions: Int) -> Topology {
        Topology(
            job: "clicks", version: 1,
            stages: [
                Stage("clicks", topic: "clicks") { setup in
                    setup.decode(with: Decoder()).outOfOrderness(.seconds(5)).rejecting(topic: "clicks").keyBy(
                        ClickKeyBy(), to: "pages")
                },
                Stage("pages", partitions: 1) { setup in
                    setup.decode(with: ClickDecoder()).receivingKeyed(from: "clicks", topic: "clicks")
                        .window(.minutes(1), ClicksPerPage(rows: setup.rows(of: ClickJob.table)))
                },
            ])
    }

    private static func tasks(partitions: Int) -> (clicks: [any StreamTask], pages: any StreamTask) {
        let topology = topology(partitions: partitions)
        let environment = TaskEnvironment(
            partitioning: [:], partitions: ["clicks": partitions, "pages": 1], cold: NothingEvicted(), hashKey: .ofTests)
        let clicks = (0..<partitions).map {
            topology.stages[0].build(TaskSetup(task: TaskID(stage: "clicks", partition: $0), environment: environment))
        }
        return (clicks, topology.stages[1].build(TaskSetup(task: TaskID(stage: "pages", partition: 0), environment: environment)))
    }

    private func read(_ values: [String], in task: any StreamTask, epoch: UInt64 = 1, firstOffset: Int64 = 0) throws -> [MessageBatch] {
        try withRecords(values.map { Array($0.utf8) }, firstOffset: firstOffset, timestamp: EventTime(milliseconds: 77)) {
            try task.process($0)
        }
        return task.cut(Epoch(epoch)).sent
    }

    private func rejected(_ cut: TaskCut) -> [String] {
        cut.rows.filter { $0.id.table == RejectedRecords.table.name }.flatMap { chunk in
            chunk.bytes.withView { bytes in
                var reader = RowReader(bytes)
                var rows: [String] = []
                while !reader.isAtEnd {
                    rows.append(
                        "\(reader.text().text) \(reader.count()) \(reader.count()) \(reader.text().text) '\(reader.text().text)' '\(reader.text().text)' \(reader.time().milliseconds)"
                    )
                }
                return rows
            }
        }
    }

    @Test func ofOnePartitionTheReceiverKnowsTheSendersWatermarkAtEachEvent() throws {
        let values = ["a 10000", "b 64999", "a 20000", "b 65000", "a 30000", "nonsense", "a 66000", "a 125000", "b 67000"]
        let (clicks, pages) = KeyByTests.tasks(partitions: 1)
        var direct = ClickTask()
        try direct.process(values, timestamp: EventTime(milliseconds: 77))
        let directCut = direct.cut()
        for batch in try read(values, in: clicks[0]) { try pages.process(batch) }
        try pages.upstreamReached(clicks[0].watermark, firingTimers: true)
        let cut = pages.cut(Epoch(2))
        #expect(clickRows(cut.rows) == clickRows(directCut.rows) && !clickRows(cut.rows).isEmpty)
        #expect(rejected(cut) == ["clicks 0 4 late '' 'a 30000' 77", "clicks 0 8 late '' 'b 67000' 77"])
        #expect(rejected(cut) == rejected(directCut).filter { $0.contains("late") })
        #expect(pages.counters.lateOf == [clicks[0].id: 2] && pages.counters.late == 2)
        #expect(pages.watermark == direct.task.watermark)
    }

    @Test func ofManyPartitionsNoneMakesTheOthersLate() throws {
        let (clicks, pages) = KeyByTests.tasks(partitions: 3)
        for batch in try read(["a 10000", "a 500000"], in: clicks[0]) { try pages.process(batch) }
        for batch in try read(["a 20000", "a 400000"], in: clicks[1]) { try pages.process(batch) }
        #expect(pages.watermark == .distantPast, "one has said nothing yet")
        for batch in try read(["a 30000", "a 61000", "a 90000"], in: clicks[2]) { try pages.process(batch) }
        #expect(pages.watermark.milliseconds == 5000, "of each sender what was before its last event")
        try pages.upstreamReached(clicks.map(\.watermark).min()!, firingTimers: true)
        #expect(pages.watermark.milliseconds == 85_000 && pages.counters.late == 0)
        #expect(clickRows(pages.cut(Epoch(2)).rows) == ["a 60000 3"])
    }

    @Test func theRecordGoesAlongOnlyWhenItMayBeLate() throws {
        let (clicks, _) = KeyByTests.tasks(partitions: 1)
        let filler = String(repeating: "x", count: 100_000)
        let first = try read(["a 10000", "b 20000"], in: clicks[0])
        let second = try read(["a\(filler) 14999"], in: clicks[0], epoch: 2, firstOffset: 2)
        #expect(first[0].bytes.count < 60)
        #expect(second[0].bytes.count > RejectedRecords.payloadLimit, "and cut to what a rejected record shows")
    }

    @Test func aLateRecordKeepsItsKeyAndItsWantOfATimestamp() throws {
        let (clicks, pages) = KeyByTests.tasks(partitions: 1)
        try "key 7".withBytes { key in
            try ["a 125000", "a 59999"].enumerated().forEach { offset, value in
                try value.withBytes { value in
                    let record = SourceRecord(offset: 40 + Int64(offset), timestamp: nil, key: key, value: value)
                    try withUnsafePointer(to: record) { try clicks[0].process(UnsafeBufferPointer(start: $0, count: 1)) }
                }
            }
        }
        for batch in clicks[0].cut(Epoch(1)).sent { try pages.process(batch) }
        #expect(rejected(pages.cut(Epoch(2))) == ["clicks 0 41 late 'key 7' 'a 59999' 0"])
    }

    @Test func aLateEventWithoutItsRecordIsNotLost() throws {
        let (clicks, pages) = KeyByTests.tasks(partitions: 1)
        try pages.raiseWatermark(to: EventTime(milliseconds: 60_000), firingTimers: true)
        let batch = try read(["a 10000"], in: clicks[0])[0]
        #expect(throws: UnusableMessage.self) { try pages.process(batch) }
    }

    @Test func damagedBatchesStopTheReceiver() throws {
        let (clicks, pages) = KeyByTests.tasks(partitions: 1)
        let batch = try read(["a 10000"], in: clicks[0])[0]
        let stranger = MessageBatchID(from: TaskID(stage: "others", partition: 0), to: batch.id.to, epoch: batch.id.epoch)
        #expect(throws: MessageDamage.self) { try pages.process(MessageBatch(id: stranger, count: batch.count, bytes: batch.bytes)) }
        // A flag that is neither 0 nor 1.
        #expect(throws: MessageDamage.self) { try pages.process(MessageBatch(id: batch.id, count: 1, bytes: [1, 97, 2, 0, 2])) }
        try pages.process(batch)
    }
}
