import CSQLite
import Glibc

/// What a query of somebody's may do to a file of somebody's: read its tables and call functions that do nothing but compute.
enum QueryPermissions {
    /// Functions of SQLite that give a value and have to do with nothing else. Everything that is not here is refused: in the first
    /// place what takes or gives addresses, loads code, or reads and writes files.
    private static let functions: Set<String> = [
        // Values and texts.
        "abs", "char", "coalesce", "format", "glob", "hex", "ifnull", "iif", "instr", "length", "like", "likelihood", "likely", "lower",
        "ltrim", "max", "min",
        "nullif", "printf", "quote", "random", "replace", "round", "rtrim", "sign", "soundex", "substr", "substring", "trim", "typeof",
        "unicode", "unlikely", "upper",
        // Mathematics.
        "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "ceiling", "cos", "cosh", "degrees", "exp", "floor", "ln",
        "log", "log10", "log2", "mod",
        "pi", "pow", "power", "radians", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
        // Aggregates and windows.
        "avg", "count", "group_concat", "sum", "total", "cume_dist", "dense_rank", "first_value", "lag", "last_value", "lead", "nth_value",
        "ntile", "percent_rank",
        "rank", "row_number",
        // JSON.
        "->", "->>", "json", "json_array", "json_array_length", "json_extract", "json_group_array", "json_group_object", "json_insert",
        "json_object", "json_patch",
        "json_quote", "json_remove", "json_replace", "json_set", "json_type", "json_valid",
        // Times.
        "date", "datetime", "julianday", "strftime", "time", "unixepoch",
    ]

    /// Modules of virtual tables that connections keep: those that take a JSON text apart.
    static let modules = ["json_each", "json_tree"]

    /// Takes away all that SQLite or whoever built it brings along to search, to index and to read other files.
    static func dropModules(_ handle: OpaquePointer) {
        var names: [UnsafePointer<CChar>?] = modules.map { UnsafePointer(strdup($0)) } + [nil]
        sqlite3_drop_modules(handle, &names)
        for name in names { free(UnsafeMutablePointer(mutating: name)) }
    }

    /// From now on statements that do more are refused when they are prepared.
    static func restrict(_ handle: OpaquePointer) {
        sqlite3_set_authorizer(
            handle,
            { _, action, first, name, schema, _ in
                switch action {
                case SQLITE_SELECT, SQLITE_RECURSIVE: SQLITE_OK
                case SQLITE_READ: QueryPermissions.isHidden(name, table: first, of: schema) ? SQLITE_DENY : SQLITE_OK
                case SQLITE_FUNCTION:
                    name.map { QueryPermissions.functions.contains(String(cString: $0).lowercased()) } == true ? SQLITE_OK : SQLITE_DENY
                default: SQLITE_DENY
                }
            }, nil)
    }

    /// The file's own `meta` holds the job's hash key; queries find the rest of it under the same name (`offerMeta`).
    private static func isHidden(_ column: UnsafePointer<CChar>?, table: UnsafePointer<CChar>?, of schema: UnsafePointer<CChar>?) -> Bool {
        // Rows may be counted: no column is read then.
        guard let table, let schema, let column, column.pointee != 0 else { return false }
        return String(cString: schema) == "main" && String(cString: table).lowercased() == MetaTable.name
    }

    /// Puts a copy of `meta` in place of it whose hash key is left out.
    static func offerMeta(_ database: Database) throws {
        try MetaTable(database).offerCopy(hiding: HashKeyEntry.name)
    }

    static func lift(_ handle: OpaquePointer) { sqlite3_set_authorizer(handle, nil, nil) }
}
