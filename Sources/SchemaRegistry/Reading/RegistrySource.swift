import Avro
import Engine

/// A source whose records are handed on when the schemas that they name are known.
package final class RegistrySource: RecordSource {
    private let source: any RecordSource
    private let schemas: RegisteredSchemas
    private let framing: SchemaFraming
    private let headerNames: [[UInt8]]

    /// `headerNames`: the headers that whoever decodes the records asks for; a record that has to wait keeps those alone.
    package init(_ source: any RecordSource, schemas: RegisteredSchemas, framing: SchemaFraming, headerNames: [String] = []) {
        self.source = source
        self.schemas = schemas
        self.framing = framing
        self.headerNames = (headerNames + (framing.looksAtHeaders ? SchemaFraming.headerNames : [])).map { Array($0.utf8) }
    }

    package func reach() throws { try source.reach() }
    package var outage: String? { source.outage }
    package var longestRecord: Int? { source.longestRecord }
    package func partitionCount(of topic: String) throws -> Int { try source.partitionCount(of: topic) }

    @discardableResult
    package func open(_ assignments: [SourceAssignment]) throws -> [TopicPartition: Int64] { try source.open(assignments) }

    package func makeReader(of partitions: [TopicPartition]) throws -> any RecordReader {
        RegistryReader(try source.makeReader(of: partitions), schemas: schemas, framing: framing, headerNames: headerNames)
    }

    package func ends(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: Int64] {
        source.ends(of: partitions, timeout: timeout)
    }

    package func logEnds(of partitions: [TopicPartition], timeout: Duration) -> [TopicPartition: LogEnd] {
        source.logEnds(of: partitions, timeout: timeout)
    }

    package func report(_ positions: [TopicPartition: Int64]) { source.report(positions) }
}
