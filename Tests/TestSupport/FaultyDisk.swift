import CFaultVFS

/// The faults of one directory's SQLite files, and counts of what is asked of them.
///
/// Make it before the files are opened; it ends with its last reference.
public final class FaultyDisk: Sendable {
    private let watch: Int32

    /// Watches everything below `directory`.
    public init(_ directory: String) throws {
        guard fault_vfs_register() == 0 else { throw FaultyDiskError(description: "SQLite took no file system for tests") }
        watch = fault_vfs_watch(directory)
        guard watch >= 0 else { throw FaultyDiskError(description: "too many directories are watched at once") }
    }

    deinit { fault_vfs_unwatch(watch) }

    public var syncs: Int { fault_vfs_syncs(watch) }
    public var readBytes: Int { fault_vfs_read_bytes(watch) }
    /// Writes, truncations and syncs.
    public var operations: Int { fault_vfs_operations(watch) }

    /// Writes that need space find none, after `operations` more.
    public func fill(after operations: Int = 0) { fault_vfs_fail(watch, FAULT_DISK_FULL, operations) }
    /// After `operations` more nothing is written any more, as if the process had died.
    public func die(after operations: Int) { fault_vfs_fail(watch, FAULT_DEAD, operations) }
    /// After `operations` more the process kills itself.
    public func kill(after operations: Int) { fault_vfs_fail(watch, FAULT_KILL, operations) }
    public func mend() { fault_vfs_fail(watch, FAULT_NONE, 0) }
}

public struct FaultyDiskError: Error, CustomStringConvertible {
    public let description: String
}
