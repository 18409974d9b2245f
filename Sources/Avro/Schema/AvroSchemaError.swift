/// Why a text is no schema that records can be read by: what is wrong, and where in it.
public struct AvroSchemaError: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
