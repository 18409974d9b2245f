import CFaultVFS

/// The faults of one directory's SQLite files, and counts of what is asked of them.
///
/// Make it before the files are opened; it ends with its last reference.
package final class FaultyDisk: Sendable {
    private let watch: Int32

    /// Watches everything below `directory`.
    package init(_ directory: String) throws {
        guard fault_vfs_register() == 0 else { throw FaultyDiskError(description: "SQLite took no file system for tests") }
        watch = fault_vfs_watch(directory)
        guard watch >= 0 else { throw FaultyDiskError(description: "too many directories are watched at once") }
    }

    deinit { fault_vfs_unwatch(watch) }

    package var syncs: Int { fault_vfs_syncs(watch) }
    package var readBytes: Int { fault_vfs_read_bytes(watch) }
    /// Writes, truncations and syncs.
    package var operations: Int { fault_vfs_operations(watch) }

    /// Writes that need space find none, after `operations` more.
    package func fill(after operations: Int = 0) { fault_vfs_fail(watch, FAULT_DISK_FULL, operations) }
    /// After `operations` more nothing is written any more, as if the process had died.
    package func die(after operations: Int) { fault_vfs_fail(watch, FAULT_DEAD, operations) }
    /// After `operations` more the process kills itself.
    package func kill(after operations: Int) { fault_vfs_fail(watch, FAULT_KILL, operations) }
    package func mend() { fault_vfs_fail(watch, FAULT_NONE, 0) }
}

package struct FaultyDiskError: Error, CustomStringConvertible {
    package let description: String
}
