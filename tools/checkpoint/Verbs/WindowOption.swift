import ArgumentParser
import Engine
import SQLiteState

/// `--window`
struct WindowOption: ParsableArguments {
    @Option(help: ArgumentHelp("The start of a window, such as 2026-09-01T10:00Z.", valueName: "time"))
    var window: String?

    func validate() throws {
        if let window, EventTime(text: window) == nil {
            throw ValidationError("--window: expected a time such as 2026-09-01T10:00Z, found \(window)")
        }
    }

    /// The time; throws kind `invalid` when the table has no windows.
    func start(in table: StoredTable) throws -> EventTime? {
        guard let window else { return nil }
        guard table.isWindowed else { throw ToolError(.invalid, "table \(table.fullName) has no windows; leave --window out") }
        return EventTime(text: window)
    }
}

/// The bytes of a key as it is written on the command line.
func keyBytes(_ text: String, _ argument: String) throws -> [UInt8] {
    guard let bytes = StateText.bytes(ofKey: text) else {
        throw ValidationError("\(argument): expected text, or pairs of hex digits after 0x, found \(text)")
    }
    return bytes
}
