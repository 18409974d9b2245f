import Avro
import Engine

/// A source whose records are handed on when the schemas that they name are known.
public final class RegistrySource: RecordSource {
    private let source: any RecordSource
    private let schemas: RegisteredSchemas
    private let framing: SchemaFraming

    public init(_ source: any RecordSource, schemas: RegisteredSchemas, framing: SchemaFraming) {
        self.source = source
        self.schemas = schemas
        self.framing = framing
    }

    public func reach() throws { try source.reach() }
    public var outage: String? { source.outage }
    public func partitionCount(of topic: String) throws -> Int { try source.partitionCount(of: topic) }

    @discardableResult
    public func open(_ assignments: [SourceAssignment]) throws -> [TopicPartition: Int64] { try source.open(assignments) }

    public func makeReader(of partitions: [TopicPartition]) throws -> any RecordReader {
        RegistryReader(try source.makeReader(of: partitions), schemas: schemas, framing: framing)
    }

    public func ends(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: Int64] {
        source.ends(of: partitions, timeout: timeout)
    }

    public func report(_ positions: [TopicPartition: Int64]) { source.report(positions) }
}
