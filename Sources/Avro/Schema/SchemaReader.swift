/// Reads the JSON of schemas into tables of types, fields, branches and symbols.
///
/// Only what a reader of written records needs: defaults, aliases, orders and documentation are passed over.
struct SchemaReader {
    private(set) var nodes: [SchemaNode] = []
    private(set) var annotations: [AvroAnnotation] = []
    private(set) var fields: [(name: String, type: Int32)] = []
    private(set) var branches: [Int32] = []
    private(set) var symbols: [String] = []
    private var named: [String: Int32] = [:]

    /// Of everything in one schema together.
    static let typeLimit = 16_384
    static let fieldLimit = 65_536

    /// Reads a schema; the types that it names are known to those read after it. Returns its own type.
    mutating func read(_ text: [UInt8]) throws(AvroSchemaError) -> Int32 {
        try type(SchemaJSON(text), namespace: "")
    }

    private mutating func add(_ node: SchemaNode, _ annotation: AvroAnnotation = .none) throws(AvroSchemaError) -> Int32 {
        guard nodes.count < SchemaReader.typeLimit else { throw AvroSchemaError("has more than \(SchemaReader.typeLimit) types") }
        nodes.append(node)
        annotations.append(annotation)
        return Int32(nodes.count - 1)
    }

    private mutating func type(_ json: SchemaJSON, namespace: String) throws(AvroSchemaError) -> Int32 {
        switch json {
        case .text(let name): return try named(name, namespace, .none)
        case .list(let branches): return try union(branches, namespace)
        case .object: return try object(json, namespace)
        case .null, .flag, .number: throw AvroSchemaError("has a value where a type was expected")
        }
    }

    private static let primitives: [String: SchemaNode.Kind] = [
        "null": .null, "boolean": .boolean, "int": .int, "long": .long, "float": .float, "double": .double, "bytes": .bytes,
        "string": .string,
    ]

    /// A primitive type, or one that was defined before.
    private mutating func named(_ name: String, _ namespace: String, _ annotation: AvroAnnotation) throws(AvroSchemaError) -> Int32 {
        if let kind = SchemaReader.primitives[name] { return try add(SchemaNode(kind: kind, isEmpty: kind == .null), annotation) }
        if let known = named[SchemaReader.fullName(name, namespace)] ?? named[name] { return known }
        throw AvroSchemaError("names a type \(name) that it does not define")
    }

    private static func fullName(_ name: String, _ namespace: String) -> String {
        namespace.isEmpty || name.utf8.contains(UInt8(ascii: ".")) ? name : "\(namespace).\(name)"
    }

    private mutating func union(_ json: [SchemaJSON], _ namespace: String) throws(AvroSchemaError) -> Int32 {
        let node = try add(SchemaNode(kind: .union))
        var types: [Int32] = []
        for branch in json {
            if case .list = branch { throw AvroSchemaError("has a union in a union") }
            types.append(try type(branch, namespace: namespace))
        }
        guard branches.count + types.count <= SchemaReader.fieldLimit else {
            throw AvroSchemaError("has more than \(SchemaReader.fieldLimit) branches")
        }
        nodes[Int(node)].first = Int32(branches.count)
        nodes[Int(node)].count = Int32(types.count)
        branches += types
        return node
    }

    private mutating func object(_ json: SchemaJSON, _ namespace: String) throws(AvroSchemaError) -> Int32 {
        let annotation = annotation(of: json)
        switch json["type"] {
        case .text("record"), .text("error"): return try record(json, namespace, annotation)
        case .text("enum"): return try enumeration(json, namespace, annotation)
        case .text("fixed"): return try fixed(json, namespace, annotation)
        case .text("array"): return try container(.array, json["items"], namespace, annotation)
        case .text("map"): return try container(.map, json["values"], namespace, annotation)
        case .text(let name): return try named(name, namespace, annotation)
        case .some(let inner): return try type(inner, namespace: namespace)
        case nil: throw AvroSchemaError("has an object without a type")
        }
    }

    private func annotation(of json: SchemaJSON) -> AvroAnnotation {
        // Connect's converter writes a decimal's scale among the parameters too, as a text.
        let scale = json["scale"]?.number ?? json["connect.parameters"]?["scale"]?.text.flatMap { Int64($0) } ?? 0
        return AvroAnnotation(logicalType: json["logicalType"]?.text, connectName: json["connect.name"]?.text, scale: Int(clamping: scale))
    }

    /// Gives a named type its place before what it holds is read, which may name it. Returns the namespace within it.
    private mutating func define(
        _ kind: SchemaNode.Kind, _ json: SchemaJSON, _ namespace: String, _ annotation: AvroAnnotation
    ) throws(AvroSchemaError) -> (type: Int32, namespace: String) {
        guard let name = json["name"]?.text, !name.isEmpty else { throw AvroSchemaError("has a record, an enum or a fixed without a name") }
        let full = SchemaReader.fullName(name, json["namespace"]?.text ?? namespace)
        guard named[full] == nil else { throw AvroSchemaError("defines \(full) twice") }
        let node = try add(SchemaNode(kind: kind), annotation)
        named[full] = node
        let dot = full.utf8.lastIndex(of: UInt8(ascii: "."))
        return (node, dot.map { String(full[..<$0]) } ?? "")
    }

    private mutating func record(_ json: SchemaJSON, _ outer: String, _ annotation: AvroAnnotation) throws(AvroSchemaError) -> Int32 {
        let (node, namespace) = try define(.record, json, outer, annotation)
        guard case .list(let list) = json["fields"] else { throw AvroSchemaError("has a record without fields") }
        var own: [(name: String, type: Int32)] = []
        for field in list {
            guard let name = field["name"]?.text, let type = field["type"] else {
                throw AvroSchemaError("has a field without name or type")
            }
            own.append((name, try self.type(type, namespace: namespace)))
        }
        guard fields.count + own.count <= SchemaReader.fieldLimit else {
            throw AvroSchemaError("has more than \(SchemaReader.fieldLimit) fields")
        }
        nodes[Int(node)].first = Int32(fields.count)
        nodes[Int(node)].count = Int32(own.count)
        fields += own
        return node
    }

    private mutating func enumeration(_ json: SchemaJSON, _ outer: String, _ annotation: AvroAnnotation) throws(AvroSchemaError) -> Int32 {
        let (node, _) = try define(.enumeration, json, outer, annotation)
        guard case .list(let list) = json["symbols"] else { throw AvroSchemaError("has an enum without symbols") }
        nodes[Int(node)].first = Int32(symbols.count)
        nodes[Int(node)].count = Int32(list.count)
        for symbol in list {
            guard let text = symbol.text else { throw AvroSchemaError("has a symbol that is no text") }
            symbols.append(text)
        }
        guard symbols.count <= SchemaReader.fieldLimit else { throw AvroSchemaError("has more than \(SchemaReader.fieldLimit) symbols") }
        return node
    }

    private mutating func fixed(_ json: SchemaJSON, _ outer: String, _ annotation: AvroAnnotation) throws(AvroSchemaError) -> Int32 {
        let (node, _) = try define(.fixed, json, outer, annotation)
        guard let size = json["size"]?.number, let small = Int32(exactly: size), small >= 0 else {
            throw AvroSchemaError("has a fixed without a size")
        }
        nodes[Int(node)].first = small
        nodes[Int(node)].isEmpty = small == 0
        return node
    }

    private mutating func container(
        _ kind: SchemaNode.Kind, _ items: SchemaJSON?, _ namespace: String, _ annotation: AvroAnnotation
    ) throws(AvroSchemaError) -> Int32 {
        guard let items else { throw AvroSchemaError("has an array or a map without the type of its items") }
        let node = try add(SchemaNode(kind: kind), annotation)
        nodes[Int(node)].first = try type(items, namespace: namespace)
        return node
    }

    // MARK: - Types without bytes

    /// Finds the records that take no bytes, and refuses those that would never end.
    mutating func markEmpty() throws(AvroSchemaError) {
        var standing = [Standing](repeating: .unknown, count: nodes.count)
        for node in nodes.indices where nodes[node].kind == .record { _ = try isEmpty(node, &standing, depth: 0) }
    }

    /// How deep records may lie in each other without a union, an array or a map between them.
    static let depthLimit = 256

    private enum Standing { case unknown, open, known }

    private mutating func isEmpty(_ node: Int, _ standing: inout [Standing], depth: Int) throws(AvroSchemaError) -> Bool {
        guard nodes[node].kind == .record, standing[node] != .known else { return nodes[node].isEmpty }
        guard standing[node] == .unknown else { throw AvroSchemaError("has a record that holds itself without end") }
        guard depth < SchemaReader.depthLimit else {
            throw AvroSchemaError("has records that lie deeper than \(SchemaReader.depthLimit) in each other")
        }
        standing[node] = .open
        let first = Int(nodes[node].first)
        var isEmpty = true
        for field in first..<first + Int(nodes[node].count) {
            let fieldIsEmpty = try self.isEmpty(Int(fields[field].type), &standing, depth: depth + 1)
            isEmpty = isEmpty && fieldIsEmpty
        }
        nodes[node].isEmpty = isEmpty
        standing[node] = .known
        return isEmpty
    }
}
