import Engine

/// A schema, made ready for reading the records that were written by it.
///
/// Records are read by the schema that they were written by, and their fields found by name: so it makes no difference whether a
/// writer has added, moved or dropped columns.
///
/// `@unchecked Sendable`: immutable once it is made; the plan's memory lives as long as this does.
package final class AvroSchema: @unchecked Sendable {
    /// Reads records; not to be used after this schema is gone.
    package let plan: AvroPlan
    /// What the schema says of its types, by the number that values name theirs by.
    package let annotations: [AvroAnnotation]
    private let text: UnsafeMutablePointer<UInt8>

    /// The most bytes of a schema, those that it refers to included.
    package static let byteLimit = 4 << 20

    /// - Parameter references: the schemas whose types `text` uses, each after the ones that it uses itself.
    package init(_ text: [UInt8], references: [[UInt8]] = []) throws(AvroSchemaError) {
        guard references.reduce(text.count, { $0 + $1.count }) <= AvroSchema.byteLimit else {
            throw AvroSchemaError("has more than \(AvroSchema.byteLimit) bytes with what it refers to")
        }
        var reader = SchemaReader()
        for reference in references { _ = try reader.read(reference) }
        let root = try reader.read(text)
        try reader.markEmpty()
        annotations = reader.annotations
        (plan, self.text) = AvroSchema.layOut(reader, root: root)
    }

    deinit {
        plan.nodes.deallocate()
        plan.fields.deallocate()
        plan.nonEmptyTypes.deallocate()
        plan.branches.deallocate()
        plan.symbols.deallocate()
        text.deallocate()
    }

    /// Names and symbols lie one after the other in memory that stays where it is, so that views of them can be handed on.
    private static func layOut(_ reader: SchemaReader, root: Int32) -> (AvroPlan, UnsafeMutablePointer<UInt8>) {
        let bytes = (reader.fields.map(\.name) + reader.symbols).reduce(0) { $0 + $1.utf8.count }
        let text = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes, 1))
        var used = 0
        func keep(_ name: String) -> ByteView {
            let start = text + used
            for byte in name.utf8 {
                text[used] = byte
                used += 1
            }
            return ByteView(start: start, count: text + used - start)
        }
        let fields = reader.fields.map { SchemaField(name: keep($0.name), type: $0.type) }
        let symbols = reader.symbols.map(keep)
        var nodes = reader.nodes
        // To pass over a record, its fields that take bytes are all that counts.
        var nonEmptyTypes: [Int32] = []
        for index in nodes.indices where nodes[index].kind == .record {
            let (first, count) = (Int(nodes[index].first), Int(nodes[index].count))
            nodes[index].firstNonEmpty = Int32(nonEmptyTypes.count)
            nonEmptyTypes += fields[first..<first + count].map(\.type).filter { !nodes[Int($0)].isEmpty }
            nodes[index].nonEmptyCount = Int32(nonEmptyTypes.count) - nodes[index].firstNonEmpty
        }
        let plan = AvroPlan(
            nodes: kept(nodes), fields: kept(fields), nonEmptyTypes: kept(nonEmptyTypes), branches: kept(reader.branches),
            symbols: kept(symbols), root: root
        )
        return (plan, text)
    }

    private static func kept<Element>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
        for (index, element) in elements.enumerated() { (memory + index).initialize(to: element) }
        return memory
    }
}

/// What a schema says of a type beyond how it is written.
package struct AvroAnnotation: Equatable, Sendable {
    /// Avro's own name of what a value means, such as `timestamp-micros`.
    package var logicalType: String?
    /// Kafka Connect's name of it, such as `io.debezium.time.MicroTimestamp`.
    package var connectName: String?
    /// Of a decimal: how many of its digits stand behind the point. 0 where the schema names none.
    package var scale: Int

    package init(logicalType: String? = nil, connectName: String? = nil, scale: Int = 0) {
        self.logicalType = logicalType
        self.connectName = connectName
        self.scale = scale
    }

    package static let none = AvroAnnotation()
}

/// Why a text is no schema that records can be read by: what is wrong, and where in it.
package struct AvroSchemaError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
