import Engine
import TestSupport
import Testing

@testable import KafkaIO

@Suite("Development broker") struct DevelopmentBrokerTests {
    @Test("clients that begin at the chosen port write and read")
    func chosenPort() throws {
        let port = freePort()
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "t", partitions: 1)], port: port)
        #expect(broker.bootstrapServers == "127.0.0.1:\(port)")
        let all = partitions("t", 1)
        try broker.write(["a", "b"], to: all[0])
        var seen = Seen()
        try seen.readToEnds(openReader(broker.source(), fresh(all)), of: all)
        #expect(seen.values(all[0]) == ["a", "b"])
    }

    @Test("a port in use, and one that is none, are errors that say so")
    func portInUse() throws {
        let port = freePort()
        let first = try DevelopmentBroker(port: port)
        #expect(message { _ = try DevelopmentBroker(port: port) }.contains("can't listen on 127.0.0.1:\(port)"))
        #expect(message { _ = try DevelopmentBroker(port: 70_000) }.contains("70000 is no TCP port"))
        _ = first
    }

    @Test("the port is free again when the broker ends")
    func portFreed() throws {
        let port = freePort()
        for _ in 0..<2 { _ = try DevelopmentBroker(port: port) }
    }

    @Test("topics are read from name:partitions, and what is none is refused")
    func topicList() throws {
        #expect(
            try DevelopmentTopic.list("a:1,b.c:16") == [
                DevelopmentTopic(name: "a", partitions: 1), DevelopmentTopic(name: "b.c", partitions: 16),
            ])
        #expect(try DevelopmentTopic.list("").isEmpty)
        for wrong in ["a", "a:", ":3", "a:0", "a:x", "a:1:2"] { #expect(throws: SourceError.self) { try DevelopmentTopic.list(wrong) } }
    }
}
