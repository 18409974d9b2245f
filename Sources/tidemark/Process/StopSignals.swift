import CommandLineParts
import Foundation
import Glibc
import Synchronization

/// SIGTERM and SIGINT: the first asks for a drain, the second ends the process at once, which is as safe as SIGKILL.
///
/// A thread waits for them, while they are blocked in all others: so none is lost, however early it comes, and none is ignored where the
/// process is the first of a container, to which the kernel passes no signal that has its default action.
enum StopSignals {
    private static let drain = Mutex<(@Sendable () -> Void)?>(nil)

    private static var all: sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        return signals
    }

    /// From now on one of them ends the process, by itself until there is something to drain. The first thing that a process does,
    /// before any other thread is started.
    static func begin() {
        var signals = all
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let thread = Thread {
            let first = next()
            guard let drain = drain.withLock({ $0 }) else { return end(by: first) }
            drain()
            _ = next()
            _exit(ExitStatus.stoppedBySecondSignal.rawValue)
        }
        thread.name = "signals"
        thread.start()
    }

    /// From now on the first one calls `drain`, once, on the thread that waits.
    static func watch(drain: @escaping @Sendable () -> Void) { StopSignals.drain.withLock { $0 = drain } }

    private static func next() -> Int32 {
        var signals = all
        var number: Int32 = 0
        while sigwait(&signals, &number) != 0 {}
        return number
    }

    /// As the signal's default action does it, which the first process of a container has to do itself.
    private static func end(by number: Int32) {
        var signals = all
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        raise(number)
        _exit(128 + number)
    }
}
