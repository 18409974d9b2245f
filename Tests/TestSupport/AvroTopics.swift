import Engine
import Foundation

/// The records of a golden case as Avro, written by fastavro (`avro_records.py`).
package struct AvroTopics: Sendable {
    package enum Form: String, Sendable, CaseIterable {
        /// Columns beside `__op` and `__deleted`; decimals and times are texts.
        case flat
        /// `before` and `after`; decimals are bytes, times microseconds, ids say that they are UUIDs.
        case envelope
    }

    /// By number, from 1 on.
    package let schemas: [String]
    private let directory: TemporaryDirectory

    package init(_ golden: GoldenCase, _ form: Form) throws {
        let input = try TemporaryDirectory("tidemark-avro-input")
        directory = try TemporaryDirectory("tidemark-avro")
        try golden.layOutInput(in: input.path)
        let environment = try PythonEnvironment("fastavro", variable: "TIDEMARK_FASTAVRO", package: "fastavro")
        let child = try environment.start("avro_records.py", [form.rawValue, input.path, directory.path])
        guard child.waitForExit() == 0 else {
            throw GoldenError(description: "the records of \(golden) were not written as Avro: \(child.errors)")
        }
        let text = try Data(contentsOf: URL(fileURLWithPath: directory.file("schemas.json")))
        schemas = try JSONSerialization.jsonObject(with: text) as? [String] ?? []
    }

    /// The records' values in the order of the log.
    package func values(_ topic: String) throws -> [[UInt8]] { try read("\(topic).values").map { $0 ?? [] } }

    /// nil for a record without a key.
    package func keys(_ topic: String) throws -> [[UInt8]?] { try read("\(topic).keys") }

    private func read(_ name: String) throws -> [[UInt8]?] {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: directory.file(name))))
        var records: [[UInt8]?] = []
        var at = 0
        while at + 4 <= bytes.count {
            let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            at += 4
            records.append(length == 0xFFFF_FFFF ? nil : Array(bytes[at..<at + length]))
            at += length == 0xFFFF_FFFF ? 0 : length
        }
        return records
    }
}

/// Schemas by number, from 1 on, that are all known.
package final class KnownSchemas: SchemaTable {
    private let schemas: [String]
    private let space: SchemaID.Space

    package init(_ schemas: [String], space: SchemaID.Space = .schema) {
        self.schemas = schemas
        self.space = space
    }

    package func schema(_ id: SchemaID) -> FoundSchema {
        guard id.space == space, id.number >= 1, id.number <= Int64(schemas.count) else { return .missing }
        return .text(Array(schemas[Int(id.number) - 1].utf8), references: [])
    }
}
