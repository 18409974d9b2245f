import Engine
import Synchronization

/// A table's status, written by its delivering thread and read by any.
final class TableStatusBox: Sendable {
    private let status: Mutex<TableStatus>

    init(table: String) { status = Mutex(TableStatus(table: table)) }

    var current: TableStatus { status.withLock { $0 } }
    func update(_ change: (inout TableStatus) -> Void) { status.withLock { change(&$0) } }
}
