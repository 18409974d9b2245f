import Engine

/// Reads records by their schema: one pass, nothing allocated, and whatever the bytes, nothing but those of the record looked at.
///
/// Belongs to an `AvroSchema`, in whose memory everything lies.
package struct AvroPlan: BitwiseCopyable, @unchecked Sendable {  // Sendable: the memory is immutable.
    @usableFromInline let nodes: UnsafeMutablePointer<SchemaNode>
    @usableFromInline let fields: UnsafeMutablePointer<SchemaField>
    @usableFromInline let nonEmptyTypes: UnsafeMutablePointer<Int32>
    @usableFromInline let branches: UnsafeMutablePointer<Int32>
    @usableFromInline let symbols: UnsafeMutablePointer<ByteView>
    @usableFromInline let root: Int32

    /// How deep records, arrays and maps may lie in each other; deeper ones are malformed.
    package static let depthLimit = 64

    /// Whether values of the type are strings or symbols.
    package func isText(_ type: Int32) -> Bool { nodes[Int(type)].kind == .string || nodes[Int(type)].kind == .enumeration }

    /// Reads a value that fills all the bytes, handing the fields of a record to `fields`. Returns the value, a record's without
    /// its bytes; nil when they are malformed.
    @inlinable
    package func read<Fields: AvroFields>(_ bytes: ByteView, _ fields: inout Fields) -> AvroValue? {
        guard var cursor = AvroCursor(bytes), let type = branch(root, &cursor) else { return nil }
        let value: AvroValue?
        if nodes[Int(type)].kind == .record {
            value = readFields(of: type, &cursor, &fields) ? AvroValue(.record, type: type) : nil
        } else {
            value = self.value(of: type, &cursor)
        }
        return cursor.remaining == 0 ? value : nil
    }

    /// Hands over the fields of a record that was handed over itself; false when they are malformed.
    @inlinable
    package func read<Fields: AvroFields>(_ record: AvroValue, _ fields: inout Fields) -> Bool {
        guard record.kind == .record, var cursor = AvroCursor(record.bytes) else { return false }
        return readFields(of: record.type, &cursor, &fields) && cursor.remaining == 0
    }

    @inline(__always) @inlinable
    func readFields<Fields: AvroFields>(of type: Int32, _ cursor: inout AvroCursor, _ fields: inout Fields) -> Bool {
        let record = nodes[Int(type)]
        var field = self.fields + Int(record.first)
        let end = field + Int(record.count)
        while field < end {
            guard let type = branch(field.pointee.type, &cursor), let value = value(of: type, &cursor) else { return false }
            fields.take(field.pointee.name, value)
            field += 1
        }
        return true
    }

    /// The type itself, or of a union the branch that the record names.
    @inline(__always) @inlinable
    func branch(_ type: Int32, _ cursor: inout AvroCursor) -> Int32? {
        let node = nodes[Int(type)]
        guard node.kind == .union else { return type }
        guard let index = cursor.long(), index >= 0, index < Int64(node.count) else { return nil }
        return branches[Int(node.first) + Int(index)]
    }

    @inline(__always) @inlinable
    func value(of type: Int32, _ cursor: inout AvroCursor) -> AvroValue? {
        let node = nodes[Int(type)]
        switch node.kind {
        case .null: return AvroValue(.null, type: type)
        case .boolean:
            guard let byte = cursor.take(1)?[0], byte <= 1 else { return nil }
            return AvroValue(byte == 1 ? .true : .false, type: type)
        case .int:
            guard let number = cursor.long(), number == Int64(Int32(truncatingIfNeeded: number)) else { return nil }
            return AvroValue(.integer, type: type, bits: UInt64(bitPattern: number))
        case .long: return cursor.long().map { AvroValue(.integer, type: type, bits: UInt64(bitPattern: $0)) }
        case .float: return cursor.word32().map { AvroValue(.double, type: type, bits: Double(Float(bitPattern: $0)).bitPattern) }
        case .double: return cursor.word64().map { AvroValue(.double, type: type, bits: $0) }
        case .bytes: return cursor.lengthAndBytes().map { AvroValue(.bytes, type: type, bytes: $0) }
        case .fixed: return cursor.take(Int(node.first)).map { AvroValue(.bytes, type: type, bytes: $0) }
        case .string:
            guard let text = cursor.lengthAndBytes(), text.isUTF8 else { return nil }
            return AvroValue(.text, type: type, bytes: text)
        case .enumeration:
            guard let index = cursor.long(), index >= 0, index < Int64(node.count) else { return nil }
            return AvroValue(.text, type: type, bytes: symbols[Int(node.first) + Int(index)])
        case .record, .array, .map:
            let start = cursor.at
            guard skip(type, &cursor, depth: 0) else { return nil }
            let kind: AvroValue.Kind = node.kind == .record ? .record : node.kind == .array ? .array : .map
            return AvroValue(kind, type: type, bytes: ByteView(start: start, count: cursor.at - start))
        // A union holds no unions, so what `branch` gives is none.
        case .union: return nil
        }
    }

    /// Passes over a value; its lengths and choices are checked, its texts are not.
    @usableFromInline
    func skip(_ type: Int32, _ cursor: inout AvroCursor, depth: Int) -> Bool {
        let node = nodes[Int(type)]
        switch node.kind {
        case .null: return true
        case .boolean: return cursor.take(1).map { $0[0] <= 1 } ?? false
        case .int, .long: return cursor.long() != nil
        case .float: return cursor.take(4) != nil
        case .double: return cursor.take(8) != nil
        case .bytes, .string: return cursor.lengthAndBytes() != nil
        case .fixed: return cursor.take(Int(node.first)) != nil
        case .enumeration: return cursor.long().map { $0 >= 0 && $0 < Int64(node.count) } ?? false
        case .union: return branch(type, &cursor).map { skip($0, &cursor, depth: depth) } ?? false
        case .record:
            guard depth < AvroPlan.depthLimit else { return false }
            var field = nonEmptyTypes + Int(node.firstNonEmpty)
            let end = field + Int(node.nonEmptyCount)
            while field < end {
                guard skip(field.pointee, &cursor, depth: depth + 1) else { return false }
                field += 1
            }
            return true
        case .array, .map: return depth < AvroPlan.depthLimit && skipBlocks(node, &cursor, depth: depth + 1)
        }
    }

    /// Passes over the blocks of an array or a map, the last of which has no items.
    private func skipBlocks(_ node: SchemaNode, _ cursor: inout AvroCursor, depth: Int) -> Bool {
        while true {
            guard let count = cursor.long() else { return false }
            if count == 0 { return true }
            if count < 0 {
                // The block says how many bytes it has.
                guard cursor.lengthAndBytes() != nil else { return false }
                continue
            }
            // Items without bytes: nothing to pass over, however many they are said to be.
            if node.kind == .array, nodes[Int(node.first)].isEmpty { continue }
            for _ in 0..<count {
                if node.kind == .map { guard cursor.lengthAndBytes() != nil else { return false } }
                guard skip(node.first, &cursor, depth: depth) else { return false }
            }
        }
    }
}
