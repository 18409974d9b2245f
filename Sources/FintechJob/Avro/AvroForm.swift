import Avro
import Engine

/// How records in Avro name their schemas, and where these are.
public struct AvroForm: Sendable {
    public let framing: SchemaFraming
    public let schemas: any SchemaTable

    public init(framing: SchemaFraming, schemas: any SchemaTable) {
        self.framing = framing
        self.schemas = schemas
    }
}
