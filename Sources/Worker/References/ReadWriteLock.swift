import Glibc

/// Many readers or one writer; a writer that waits goes before readers that come after it, so that busy readers can't
/// keep it waiting. A reader must not take it twice.
///
/// `@unchecked Sendable`: it is a lock; the pointer never changes and is freed in `deinit`.
final class ReadWriteLock: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)

    init() {
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        defer { pthread_rwlockattr_destroy(&attributes) }
        let prefersWriters = pthread_rwlockattr_setkind_np(&attributes, CInt(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP)) == 0
        let isMade = pthread_rwlock_init(lock, &attributes) == 0
        precondition(prefersWriters && isMade, "the system gave no lock")
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    func lockForReading() {
        let code = pthread_rwlock_rdlock(lock)
        precondition(code == 0, "a reading lock failed: \(code)")
    }

    func lockForWriting() {
        let code = pthread_rwlock_wrlock(lock)
        precondition(code == 0, "a writing lock failed: \(code)")
    }

    func unlock() { pthread_rwlock_unlock(lock) }
}
