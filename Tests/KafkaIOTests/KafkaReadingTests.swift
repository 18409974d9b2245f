import CRdKafka
import Engine
import TestSupport
import Testing

@testable import KafkaIO

@Suite("Reading Kafka") struct KafkaReadingTests {
    @Test("records arrive in log order, once, with key, timestamp and null values as they were written, and the end is told")
    func order() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 2)])
        let all = partitions("t", 2)
        let writer = try broker.writer()
        for index in 0..<2500 {
            try writer.send(all[index % 2], "value \(index)", key: "key \(index)", timestamp: 1_700_000_000_000 + Int64(index))
        }
        try writer.send(topic: "t", partition: 0, key: .null, value: .null)
        try writer.flush(timeout: .seconds(30))

        let source = try broker.source()
        let reader = try openReader(source, fresh(all))
        var seen = Seen()
        try seen.readToEnds(reader, of: all, maximumRecords: 333)

        #expect(seen.values(all[0]) == (0..<1250).map { "value \($0 * 2)" } + ["null"])
        #expect(seen.values(all[1]) == (0..<1250).map { "value \($0 * 2 + 1)" })
        #expect(seen.offsets(all[0]) == Array(0...1250))
        #expect(seen.records[all[0]]?[7].key == "key 14")
        #expect(seen.records[all[0]]?[7].timestamp == 1_700_000_000_014)
        #expect(seen.records[all[0]]?.last?.key == nil)
        #expect(seen.ends[all[0]]?.last == 1251)
        #expect(seen.ends[all[1]]?.last == 1250)
    }

    @Test("an empty partition tells its end, and later records are read after it")
    func growth() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 1)])
        let all = partitions("t", 1)
        let reader = try openReader(broker.source(), fresh(all))
        var seen = Seen()
        try seen.readToEnds(reader, of: all)
        #expect(seen.ends[all[0]] == [0])
        try broker.write(["a", "b"], to: all[0])
        try seen.readToEnds(reader, of: all)
        #expect(seen.values(all[0]) == ["a", "b"])
        #expect(seen.ends[all[0]]?.last == 2)
    }

    @Test("reading goes on at the state's offset")
    func position() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 1)])
        let all = partitions("t", 1)
        try broker.write((0..<50).map { "v\($0)" }, to: all[0])
        var first = Seen()
        try first.readToEnds(openReader(broker.source(), fresh(all)), of: all)
        let last = first.records[all[0]]?[29].fingerprint
        let reader = try openReader(broker.source(), [all[0]: SourcePosition(next: 30, last: last)])
        var seen = Seen()
        try seen.readToEnds(reader, of: all)
        #expect(seen.offsets(all[0]) == Array(30..<50))
    }

    @Test("where there is no state, reading begins where the settings say")
    func start() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 1)])
        let all = partitions("t", 1)
        try broker.write(["old"], to: all[0])
        // The development broker answers every search by time with "none": then the end is taken.
        for start in [KafkaSettings.Start.latest, .time(EventTime(milliseconds: 1))] {
            let reader = try openReader(broker.source(broker.settings(start: start)), fresh(all))
            var seen = Seen()
            try seen.readToEnds(reader, of: all)
            #expect(seen.total == 0)
        }
        let reader = try openReader(broker.source(broker.settings(start: .earliest)), fresh(all))
        var seen = Seen()
        try seen.readToEnds(reader, of: all)
        #expect(seen.values(all[0]) == ["old"])
    }

    @Test("64 partitions over two readers: each record once, each end told, ends asked for in one go")
    func manyPartitions() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 64)], brokers: 3)
        let all = partitions("t", 64)
        let writer = try broker.writer()
        for index in 0..<6400 { try writer.send(all[index % 64], "\(index)") }
        try writer.flush(timeout: .seconds(30))
        let source = try broker.source()
        #expect(try source.partitionCount(of: "t") == 64)
        try source.open(all.map { SourceAssignment(partition: $0, position: nil) })
        let halves = [Array(all[..<32]), Array(all[32...])]
        var seen = Seen()
        for half in halves { try seen.readToEnds(source.makeReader(of: half), of: half) }
        #expect(seen.total == 6400)
        for partition in all { #expect(seen.values(partition) == (0..<100).map { "\($0 * 64 + partition.partition)" }) }
        let ends = source.ends(of: all, timeout: .seconds(10))
        #expect(ends == Dictionary(uniqueKeysWithValues: all.map { ($0, 100) }))
    }

    @Test("a partition has one reader, and only when it was assigned")
    func readersAreExclusive() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 2)])
        let source = try broker.source()
        let all = partitions("t", 2)
        #expect(throws: SourceError.self) { try source.makeReader(of: all) }
        try source.open([SourceAssignment(partition: all[0], position: nil)])
        let reader = try source.makeReader(of: [all[0]])
        #expect(message { _ = try source.makeReader(of: [all[0]]) }.contains("has a reader already"))
        #expect(throws: SourceError.self) { try source.makeReader(of: [all[1]]) }
        _ = reader
    }
}
