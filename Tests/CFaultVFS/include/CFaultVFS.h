/// A SQLite file system for tests: passes everything on to the default one, counts, and fails where it is told to.
///
/// It becomes the default of the process. Only files below a watched directory are counted and failed; each watch has
/// its own counts and faults, so tests that run side by side don't meet.
#pragma once

/// What happens to a watched file once the watch's operations are used up.
enum fault_kind {
    /// Nothing: operations are only counted.
    FAULT_NONE = 0,
    /// Writes that make a file longer find no space left (SQLITE_FULL).
    FAULT_DISK_FULL = 1,
    /// Every write, truncation and sync fails and changes nothing, as if the process had died before it.
    FAULT_DEAD = 2,
    /// The process kills itself with SIGKILL in the place of the operation.
    FAULT_KILL = 3,
};

/// Makes the file system the process's default; again and again is the same as once. 0, or a SQLite error code.
int fault_vfs_register(void);
/// Watches the files whose paths start with `prefix`; the watch's number, or -1 when there are too many.
int fault_vfs_watch(const char *prefix);
void fault_vfs_unwatch(int watch);
/// Lets `operations` more writes, truncations and syncs through, then fails as `kind` says.
void fault_vfs_fail(int watch, enum fault_kind kind, long operations);
/// Syncs asked for since the watch began.
long fault_vfs_syncs(int watch);
/// Writes, truncations and syncs asked for since the watch began.
long fault_vfs_operations(int watch);
/// Bytes read since the watch began.
long fault_vfs_read_bytes(int watch);
