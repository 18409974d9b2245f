import CFaultVFS
import Testing

/// The faults of one test's directory.
final class FaultyDisk: Sendable {
    private let watch: Int32

    /// Watches everything below `directory`; must be there before the directory's state file is opened.
    init(_ directory: String) throws {
        try #require(fault_vfs_register() == 0)
        watch = fault_vfs_watch(directory)
        try #require(watch >= 0, "too many directories are watched")
    }

    deinit { fault_vfs_unwatch(watch) }

    var syncs: Int { fault_vfs_syncs(watch) }
    var operations: Int { fault_vfs_operations(watch) }

    /// Writes that need space find none, after `operations` more.
    func fill(after operations: Int = 0) { fault_vfs_fail(watch, FAULT_DISK_FULL, operations) }
    /// After `operations` more nothing is written any more, as if the process had died.
    func die(after operations: Int) { fault_vfs_fail(watch, FAULT_DEAD, operations) }
    /// After `operations` more the process kills itself.
    func kill(after operations: Int) { fault_vfs_fail(watch, FAULT_KILL, operations) }
    func mend() { fault_vfs_fail(watch, FAULT_NONE, 0) }
}
