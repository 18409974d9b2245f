import CSQLite
import Engine

extension StateReader {
    /// Offers every state table to SQL, under its own name where that is unique and not one of the file's, and as
    /// `stage.name`; may be called again.
    func offerTables() throws {
        guard !areTablesOffered else { return }
        areTablesOffered = true
        try QueryPermissions.offerMeta(database)
        for module in QueryPermissions.modules { try meet(module) }
        let names = Dictionary(grouping: tables, by: \.schema.table)
        for table in tables {
            try offer(table, as: table.fullName)
            if names[table.schema.table]?.count == 1 { try offer(table, as: table.schema.table) }
        }
    }

    private func offer(_ table: StoredTable, as name: String) throws {
        let source = Unmanaged.passRetained(OfferedTable(reader: self, table: table))
        // SQLite releases the source with the connection, which does not live longer than the reader.
        let code = sqlite3_create_module_v2(database.handle, name, stateModule.pointer, source.toOpaque()) {
            Unmanaged<OfferedTable>.fromOpaque($0!).release()
        }
        try database.check(code, while: "offering table \(name)")
        try meet(name)
    }

    /// A virtual table declares its columns by a CREATE TABLE when it is first met, which a query may not run.
    private func meet(_ name: String) throws {
        _ = try Statement(database, "SELECT 1 FROM \(name.quoted(with: "\"")) LIMIT 0")
    }
}

/// A state table as the virtual table's module knows it.
private final class OfferedTable {
    /// Unowned: the reader owns the connection that owns this.
    unowned let reader: StateReader
    let table: StoredTable
    let columns: [StateColumn]

    init(reader: StateReader, table: StoredTable) {
        self.reader = reader
        self.table = table
        columns = table.columns
    }
}

/// What SQLite hands back to us: its own part leads, as it demands.
private struct VirtualTable {
    var base = sqlite3_vtab()
    let offered: Unmanaged<OfferedTable>
}

private struct VirtualCursor {
    var base = sqlite3_vtab_cursor()
    let rows: Unmanaged<OfferedRows>
}

/// Which constraints a plan uses; their values come in this order.
private struct PlanBits: OptionSet {
    let rawValue: Int32
    static let key = PlanBits(rawValue: 1)
    static let window = PlanBits(rawValue: 2)
}

/// Where a cursor stands.
private final class OfferedRows {
    let offered: OfferedTable
    private var scan: StateScan?
    private var found: ArraySlice<FoundRecord> = []
    private var row: StateRow?
    private var held: FoundRecord?
    private var values: [StateValue]?
    private(set) var rowNumber: Int64 = 0

    init(_ offered: OfferedTable) { self.offered = offered }

    var isAtEnd: Bool { row == nil && held == nil }

    func start(key: String?, window: String?) throws {
        (scan, found, rowNumber) = (nil, [], 0)
        var start: EventTime?
        if let window {
            guard let time = EventTime(text: window) else { return finish() }
            start = time
        }
        if let key {
            guard let bytes = StateText.bytes(ofKey: key) else { return finish() }
            found = try offered.reader.lookup(bytes, in: offered.table, window: start)[...]
        } else {
            scan = try offered.reader.scan(offered.table, window: start)
        }
        try next()
    }

    private func finish() { (row, held, values) = (nil, nil, nil) }

    func next() throws {
        finish()
        rowNumber += 1
        if let scan { row = try scan.next() } else { held = found.popFirst() }
    }

    func value(_ column: Int) throws -> StateQuery.Value {
        if let held { return try held.withRow { try value(column, of: $0) } }
        guard let row else { return .null }
        return try value(column, of: row)
    }

    private func value(_ column: Int, of row: StateRow) throws -> StateQuery.Value {
        try row.sqlValue(offered.columns[column].content) {
            let fields = try values ?? row.values()
            values = fields
            return fields
        }
    }
}

/// The functions that SQLite calls, the same for every table.
private let stateModule = StateModule()

/// Sendable: written once, before anybody can see it.
private final class StateModule: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<sqlite3_module>

    init() {
        pointer = .allocate(capacity: 1)
        var module = sqlite3_module()
        module.iVersion = 1
        // Without xCreate, a table of the module's own name is there at once.
        module.xConnect = { database, source, _, _, result, _ in
            let offered = Unmanaged<OfferedTable>.fromOpaque(source!)
            let code = sqlite3_declare_vtab(database, "CREATE TABLE x(\(offered.takeUnretainedValue().table.columnDeclarations))")
            guard code == SQLITE_OK else { return code }
            let table = UnsafeMutablePointer<VirtualTable>.allocate(capacity: 1)
            table.initialize(to: VirtualTable(offered: offered))
            result!.pointee = UnsafeMutableRawPointer(table).assumingMemoryBound(to: sqlite3_vtab.self)
            return SQLITE_OK
        }
        module.xDisconnect = { table in
            UnsafeMutableRawPointer(table!).assumingMemoryBound(to: VirtualTable.self).deallocate()
            return SQLITE_OK
        }
        module.xBestIndex = { StateModule.plan(StateModule.table($0), $1!) }
        module.xOpen = { table, result in
            let rows = Unmanaged.passRetained(OfferedRows(StateModule.table(table)))
            let cursor = UnsafeMutablePointer<VirtualCursor>.allocate(capacity: 1)
            cursor.initialize(to: VirtualCursor(rows: rows))
            result!.pointee = UnsafeMutableRawPointer(cursor).assumingMemoryBound(to: sqlite3_vtab_cursor.self)
            return SQLITE_OK
        }
        module.xClose = { cursor in
            let own = UnsafeMutableRawPointer(cursor!).assumingMemoryBound(to: VirtualCursor.self)
            own.pointee.rows.release()
            own.deallocate()
            return SQLITE_OK
        }
        module.xFilter = { cursor, plan, _, count, values in
            let bits = PlanBits(rawValue: plan)
            var given = (0..<Int(count)).map { StateModule.text(values![$0]) }[...]
            let key = bits.contains(.key) ? given.removeFirst() : nil
            let window = bits.contains(.window) ? given.removeFirst() : nil
            return StateModule.attempt(cursor) { try $0.start(key: key, window: window) }
        }
        module.xNext = { StateModule.attempt($0) { try $0.next() } }
        module.xEof = { StateModule.rows($0).isAtEnd ? 1 : 0 }
        module.xColumn = { cursor, context, column in
            StateModule.attempt(cursor) { StateModule.give(try $0.value(Int(column)), to: context) }
        }
        module.xRowid = { cursor, number in
            number!.pointee = StateModule.rows(cursor).rowNumber
            return SQLITE_OK
        }
        pointer.initialize(to: module)
    }

    private static func table(_ table: UnsafeMutablePointer<sqlite3_vtab>?) -> OfferedTable {
        UnsafeMutableRawPointer(table!).assumingMemoryBound(to: VirtualTable.self).pointee.offered.takeUnretainedValue()
    }

    private static func rows(_ cursor: UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> OfferedRows {
        UnsafeMutableRawPointer(cursor!).assumingMemoryBound(to: VirtualCursor.self).pointee.rows.takeUnretainedValue()
    }

    private static func attempt(_ cursor: UnsafeMutablePointer<sqlite3_vtab_cursor>?, _ body: (OfferedRows) throws -> Void) -> Int32 {
        let rows = rows(cursor)
        do {
            try body(rows)
            return SQLITE_OK
        } catch {
            rows.offered.reader.queryFailure.note(error)
            return SQLITE_ERROR
        }
    }

    /// A key asked for is looked up, a window read alone; everything else goes through the whole table.
    private static func plan(_ table: OfferedTable, _ info: UnsafeMutablePointer<sqlite3_index_info>) -> Int32 {
        var bits: PlanBits = []
        var places: [(bit: PlanBits, constraint: Int)] = []
        for index in 0..<Int(info.pointee.nConstraint) {
            let constraint = info.pointee.aConstraint[index]
            guard constraint.usable != 0, Int32(constraint.op) == SQLITE_INDEX_CONSTRAINT_EQ, constraint.iColumn >= 0 else { continue }
            let bit: PlanBits? =
                switch table.columns[Int(constraint.iColumn)].content {
                case .key: .key
                case .window: .window
                case .partition, .timer, .field: nil
                }
            guard let bit, !bits.contains(bit) else { continue }
            bits.insert(bit)
            places.append((bit, index))
        }
        for (position, place) in places.sorted(by: { $0.bit.rawValue < $1.bit.rawValue }).enumerated() {
            // SQLite compares once more: a text that means the same time or key in other words is no match in SQL either.
            info.pointee.aConstraintUsage[place.constraint].argvIndex = Int32(position + 1)
        }
        info.pointee.idxNum = bits.rawValue
        info.pointee.estimatedCost = bits.contains(.key) ? 10 : bits.contains(.window) ? 100_000 : 10_000_000
        info.pointee.estimatedRows = bits.contains(.key) ? 10 : bits.contains(.window) ? 10_000 : 1_000_000
        return SQLITE_OK
    }

    private static func text(_ value: OpaquePointer?) -> String? {
        sqlite3_value_text(value).map { String(cString: $0) }
    }

    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private static func give(_ value: StateQuery.Value, to context: OpaquePointer?) {
        switch value {
        case .null: sqlite3_result_null(context)
        case .integer(let number): sqlite3_result_int64(context, number)
        case .real(let number): sqlite3_result_double(context, number)
        case .text(let text): sqlite3_result_text(context, text, Int32(text.utf8.count), transient)
        case .blob(let bytes): sqlite3_result_blob(context, bytes, Int32(bytes.count), transient)
        }
    }
}
