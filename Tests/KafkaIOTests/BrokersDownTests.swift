import Engine
import Logging
import TestSupport
import Testing

@testable import KafkaIO

@Suite("That all brokers are down is told until one answers again")
struct BrokersDownTests {
    @Test func theNewsEndsWithTheOutage() throws {
        let port = freePort()
        let settings = KafkaSettings(
            properties: ["bootstrap.servers": "127.0.0.1:\(port)"], defaultGroup: "outage", reachLimit: .seconds(5))
        let source = try KafkaSource(settings, logger: Logger(label: "outage") { _ in SwiftLogNoOpLogHandler() })
        #expect(throws: SourceError.self) { try source.reach() }
        #expect(source.outage?.contains("refused") == true, "\(String(describing: source.outage))")
        let broker = try DevelopmentBroker(port: port)
        // librdkafka may tell of its last failed try only after the first answer.
        try waitUntil("a broker's answer ends it") {
            try source.reach()
            return source.outage == nil
        }
        withExtendedLifetime(broker) {}
    }
}
