import Engine
import KafkaIO
import Logging
import SQLiteState
import TestSupport
import Testing
import Worker

@Suite struct KafkaReferenceTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func referenceTopicsOfAClusterAreReadFirstAndOnlyOnce() throws {
        let broker = try DevelopmentBroker(topics: [
            DevelopmentTopic(name: "colors", partitions: 2), DevelopmentTopic(name: "items", partitions: 2),
        ])
        defer { withExtendedLifetime(broker) {} }
        let world = try ColorWorld(colors: (0..<500).map { "item\($0) color\($0)" }, items: (0..<500).map { "item\($0)" })
        let properties = ["bootstrap.servers": broker.bootstrapServers]
        try DirectoryLoad(directory: world.input.path).run(with: TopicWriter(WriterSettings(properties: properties), logger: Self.quiet))
        let state = try TemporaryDirectory()
        func run() throws -> WorkerStatus.Reference {
            var settings = world.settings
            settings.readsUntilEnd = true
            let kafka = KafkaSettings(properties: properties, defaultGroup: "test")
            let (store, file) = try openState(state.path)
            let references = ReferenceInput(file: file) { try KafkaSource(kafka, logger: Self.quiet) }
            let worker = Worker(
                world.topology, settings: settings, source: try KafkaSource(kafka, logger: Self.quiet),
                store: store, sink: world.sink, references: references, logger: Self.quiet
            )
            _ = try worker.run()
            return try worker.reference()
        }
        #expect(try run().counters.total == 500)
        #expect(world.sink.rows.sorted() == (0..<500).map { "item\($0) color\($0)" }.sorted())
        #expect(try run().counters.total == 0)
    }
}
