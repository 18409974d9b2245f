import CRdKafka
import Engine
import TestSupport
import Testing

@testable import KafkaIO

/// A table of names, its topic and batches, and what is read back of it.
enum Names {
    static let table = OutputTable(
        "names", timeColumn: "at", orderBy: ["at"], keyColumn: "name", columns: [OutputColumn("name", .text), OutputColumn("at", .time)]
    )

    static func batch(_ number: UInt64, _ names: [String], lineage: UInt32 = 1) -> SinkBatch {
        let batch = SinkBatch(table, number: number, lineage: lineage, rows: names.map { [.text($0), .time(0)] })
        return SinkBatch(table: outboxName, lineage: batch.lineage, number: batch.number, layout: table, partition: 0, chunks: batch.chunks)
    }

    static let outboxName = OutboxTable(table, sink: KafkaOutput.name).name

    static func known(frozen: UInt64? = nil, delivered: UInt64? = nil, identity: String = "mine") -> SinkTable {
        SinkTable(
            table: table, outboxName: outboxName, lineage: .first, lastFrozen: frozen.map { BatchNumber($0) },
            lastDelivered: delivered.map { BatchNumber($0) }, isNewState: frozen == nil, stateIdentity: identity
        )
    }

    static func settings(_ brokers: String, prefix: String = "out.", job: String = "job") -> KafkaOutputSettings {
        var settings = KafkaOutputSettings(properties: ["bootstrap.servers": brokers], job: job, topicPrefix: prefix)
        settings.retryPause = .milliseconds(20)
        return settings
    }

    /// The keys in the topic, as a read_committed consumer sees them.
    static func read(_ brokers: String, topic: String) throws -> [String] {
        let source = try KafkaSource(
            KafkaSettings(properties: ["bootstrap.servers": brokers, "isolation.level": "read_committed"], defaultGroup: "looks"),
            logger: quietLogger
        )
        let all = KafkaIOTests.partitions(topic, try source.partitionCount(of: topic))
        let reader = try openReader(source, fresh(all))
        var seen = Seen()
        try seen.readToEnds(reader, of: all)
        return all.flatMap { seen.records[$0] ?? [] }.map { $0.key ?? "" }
    }
}

extension KafkaOutput {
    @discardableResult
    func deliver(_ batch: SinkBatch) throws -> DeliveryOutcome { try deliver(batch, mayHaveBeenSent: false, isCancelled: { false }) }
}

@Suite("Kafka output on the development broker, which takes transactions but keeps no ledger")
struct KafkaOutputTests {
    private func fail(_ broker: DevelopmentBroker, _ request: Int16, _ errors: [rd_kafka_resp_err_t]) {
        rd_kafka_mock_push_request_errors_array(broker.cluster, request, errors.count, errors)
    }

    /// Kafka's numbers of requests.
    private static let (produce, fetchOffsets, endTransaction) = (Int16(0), Int16(9), Int16(26))

    @Test func batchesStandInTheTopicInOrder() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "out.names", partitions: 1)])
        let output = try KafkaOutput(Names.settings(broker.bootstrapServers), logger: quietLogger)
        _ = try output.open([Names.known()])
        for number in 1...3 { #expect(try output.deliver(Names.batch(UInt64(number), (0..<100).map { "\(number)-\($0)" })) == .delivered) }
        #expect(
            try Names.read(broker.bootstrapServers, topic: "out.names") == (1...3).flatMap { number in (0..<100).map { "\(number)-\($0)" } }
        )
        let status = try #require(output.status.first)
        #expect(
            status.table == "names@kafka" && status.batchesDelivered == 3 && status.rowsDelivered == 300 && status.insertsSent == 3
                && status.lastBatch == 3)
    }

    @Test func aTopicThatIsMissingIsCreatedWhereTheBrokersDo() throws {
        let broker = try DevelopmentBroker()
        let output = try KafkaOutput(Names.settings(broker.bootstrapServers), logger: quietLogger)
        #expect(try output.inspect(Names.known()).partitions == nil)
        _ = try output.open([Names.known()])
        #expect(try output.inspect(Names.known()).partitions == 4)
    }

    @Test func aLostLedgerStopsTheStart() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "out.names", partitions: 1)])
        let output = try KafkaOutput(Names.settings(broker.bootstrapServers), logger: quietLogger)
        #expect(
            message { _ = try output.open([Names.known(frozen: 3, delivered: 3)]) }.contains(
                "is gone, although batches up to 3 were delivered"))
        #expect(message { _ = try output.inspect(Names.known(frozen: 3, delivered: 3)) }.contains("is gone"))
    }

    @Test func aGroupThatTheBrokerDoesNotKnowHoldsNoLedger() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "out.names", partitions: 1)])
        let output = try KafkaOutput(Names.settings(broker.bootstrapServers), logger: quietLogger)
        fail(broker, KafkaOutputTests.fetchOffsets, [RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND])
        #expect(try output.inspect(Names.known()).lastBatch == nil)
        fail(broker, KafkaOutputTests.fetchOffsets, [RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND])
        #expect(message { _ = try output.inspect(Names.known(frozen: 3, delivered: 3)) }.contains("is gone"))
    }

    @Test func theLedgerIsTheMetadataOfAGroupsOffset() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "out.names", partitions: 1)])
        let settings = Names.settings(broker.bootstrapServers)
        let ledger = SinkLedger(lineage: .first, number: BatchNumber(3), stateIdentity: "mine")
        try broker.commit("\(ledger)", offset: 3, of: "out.names", group: settings.ledgerGroup)
        let output = try KafkaOutput(settings, logger: quietLogger)
        #expect(try output.inspect(Names.known(frozen: 3, delivered: 3)).lastBatch == BatchNumber(3))
        _ = try output.open([Names.known(frozen: 3, delivered: 2)])
        #expect(try output.deliver(Names.batch(3, ["landed before"])) == .delivered)
        #expect(try output.deliver(Names.batch(4, ["new"])) == .delivered)
        #expect(try Names.read(broker.bootstrapServers, topic: "out.names") == ["new"])

        #expect(
            message { _ = try output.inspect(Names.known(frozen: 3, delivered: 3, identity: "other")) }.contains(
                "another state of this job"))
        #expect(message { _ = try output.inspect(Names.known(frozen: 2, delivered: 2)) }.contains("made batches only up to 2"))
        try broker.commit("something else", offset: 3, of: "out.names", group: settings.ledgerGroup)
        #expect(message { _ = try output.inspect(Names.known(frozen: 3, delivered: 3)) }.contains("which this job did not write"))
    }

    @Test func aFailedTransactionIsAbortedAndSentAgain() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "out.names", partitions: 1)])
        let output = try KafkaOutput(Names.settings(broker.bootstrapServers), logger: quietLogger)
        _ = try output.open([Names.known()])
        fail(broker, KafkaOutputTests.produce, [RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED])
        #expect(try output.deliver(Names.batch(1, ["a"])) == .delivered)
        let status = try #require(output.status.first)
        #expect(status.insertsSent >= 2 && status.lastError?.contains("batch 1") == true, "\(status)")
        #expect(status.state == .idle)
    }

    @Test func beingShutOutStopsTheDelivery() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "out.names", partitions: 1)])
        let output = try KafkaOutput(Names.settings(broker.bootstrapServers), logger: quietLogger)
        _ = try output.open([Names.known()])
        fail(broker, KafkaOutputTests.endTransaction, [RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH])
        let error = #expect(throws: SourceError.self) { try output.deliver(Names.batch(1, ["a"])) }
        #expect(error?.kind == .fenced, "\(String(describing: error))")
    }

    @Test func brokersThatAreAwayAreWaitedFor() throws {
        let broker = try DevelopmentBroker(topics: [DevelopmentTopic(name: "out.names", partitions: 1)])
        var settings = Names.settings(broker.bootstrapServers)
        settings.callLimit = .milliseconds(300)
        let output = try KafkaOutput(settings, logger: quietLogger)
        _ = try output.open([Names.known()])
        broker.setDown()
        let outcome = try output.deliver(Names.batch(1, ["a", "b"]), mayHaveBeenSent: false) {
            // Asked between any two steps: once the trouble is told of, it ends.
            if output.status.first?.lastError != nil { broker.setUp() }
            return false
        }
        #expect(outcome == .delivered)
        #expect(Set(try Names.read(broker.bootstrapServers, topic: "out.names")) == ["a", "b"])
    }

    @Test func ownedPropertiesAreRefused() {
        for name in ["transactional.id", "enable.idempotence", "acks"] {
            let settings = KafkaOutputSettings(properties: ["bootstrap.servers": "x", name: "1"], job: "job", topicPrefix: "")
            #expect(message { _ = try KafkaOutput(settings, logger: quietLogger) }.contains("\(name) belongs to the engine"))
        }
    }
}
