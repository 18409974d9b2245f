import CSQLite
import Engine

/// What `sqlite_schema` of a file of Tidemark's holds, statement for statement.
///
/// A view, a trigger, a virtual table or an index that somebody added would run inside whoever reads the file. So this is
/// compared before anything else is read: every object has to be there once and as one of the versions of Tidemark made it.
struct FileShape {
    /// An object as `sqlite_schema` has it, its statement without the spaces and line breaks that mean nothing.
    private struct Object: Hashable {
        let type: String
        let table: String
        let statement: String
    }

    /// By name: how a version of Tidemark makes the object, or how one that brought the file up to date leaves it.
    private var known: [String: Set<Object>] = [:]

    /// A state file of this format; nil for a format that no version has.
    static func state(format: Int64) -> FileShape? { states[format] }

    /// A delta of this version, nil for one that there is not.
    static func delta(version: Int64) -> FileShape? { deltas[version] }

    static let references = FileShape(after: [ReferenceFormat.create])
    static let referencesOfFormat1 = FileShape(after: [ReferenceFormat.createFormat1])

    private static let states: [Int64: FileShape] = {
        let (first, second) = (StateFormat.createFormat1, StateFormat.upgradeOfFormat1)
        let raised = FileShape(after: [first, second])
        let (createSecond, third) = (StateFormat.create(format: 2) ?? "", StateFormat.upgradeOfFormat2)
        return [
            1: FileShape(after: [first]),
            2: FileShape(after: [createSecond]).or(raised),
            3: FileShape(after: [StateFormat.create]).or(FileShape(after: [createSecond, third])).or(
                FileShape(after: [first, second, third])),
        ]
    }()

    private static let deltas: [Int64: FileShape] = {
        let segment = FileShape(after: [SegmentTable.create])
        func delta(_ version: Int64, of format: Int64) -> FileShape {
            let tables = Set(DeltaFormat.wholeTables(version: version) + DeltaFormat.growingTables)
            var shape = segment
            for (name, objects) in states[format]?.known ?? [:] where objects.contains(where: { tables.contains($0.table) }) {
                shape.known[name] = objects
            }
            return shape
        }
        return [1: delta(1, of: 2), 2: delta(2, of: 3)]
    }()

    /// What statements of ours leave in an empty file.
    private init(after scripts: [String]) {
        do {
            let database = try Database.inMemory()
            for script in scripts { try database.execute(script) }
            try FileShape.forEach(in: database, "main") { name, object, _ in known[name] = [object] }
        } catch {
            // The statements are this program's own.
            preconditionFailure("the statements of a file format can't be run: \(error)")
        }
    }

    private func or(_ other: FileShape) -> FileShape {
        var both = self
        for (name, objects) in other.known { both.known[name, default: []].formUnion(objects) }
        return both
    }

    /// Throws kind `corrupt`, naming the object, unless the file's schema is this.
    func require(of database: Database, schema: String = "main", file: String) throws {
        var found: Set<String> = []
        var roots: Set<Int64> = []
        try FileShape.forEach(in: database, schema) { name, object, root in
            guard let known = known[name] else {
                throw FileShape.foreign(file, "it has a \(object.type) \(FileShape.shown(name)), which no file of Tidemark's has")
            }
            guard known.contains(object) else {
                throw FileShape.foreign(file, "its \(object.type) \(FileShape.shown(name)) is not made as Tidemark makes it")
            }
            guard found.insert(name).inserted, root > 1, roots.insert(root).inserted else {
                throw FileShape.foreign(file, "its \(object.type) \(FileShape.shown(name)) is there twice, or lies where another one does")
            }
        }
        if let missing = known.keys.filter({ !found.contains($0) }).min() {
            throw FileShape.foreign(file, "it lacks the table or index \(FileShape.shown(missing))")
        }
    }

    private static func foreign(_ file: String, _ what: String) -> StateError {
        StateError(.corrupt, "\(file) is damaged or not made by Tidemark: \(what); use another checkpoint, or a file that was not changed")
    }

    /// Somebody else's name as a message shows it.
    private static func shown(_ name: String) -> String {
        "'"
            + String(
                String.UnicodeScalarView(name.unicodeScalars.prefix(64).map { $0.isASCII && $0.value >= 32 && $0.value < 127 ? $0 : "?" }))
            + "'"
    }

    private static func forEach(in database: Database, _ schema: String, _ body: (String, Object, Int64) throws -> Void) throws {
        let row = try Statement(database, "SELECT name, type, tbl_name, sql, rootpage FROM \(schema).sqlite_schema")
        while try row.step() {
            let name = row.text(0)
            try body(name, Object(type: row.text(1), table: row.text(2), statement: plain(row.text(3))), row.integer(4))
        }
    }

    /// A statement with one space where there is some between words, and none beside brackets and commas. Statements of ours
    /// hold no texts, and no quoted names that could.
    private static func plain(_ statement: String) -> String {
        var words: [UInt8] = []
        var isAfterSpace = false
        for byte in statement.utf8 {
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") {
                isAfterSpace = true
                continue
            }
            if isAfterSpace, let last = words.last, !isMark(last), !isMark(byte) { words.append(UInt8(ascii: " ")) }
            isAfterSpace = false
            words.append(byte)
        }
        return String(decoding: words, as: UTF8.self)
    }

    private static func isMark(_ byte: UInt8) -> Bool { [UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ",")].contains(byte) }
}
