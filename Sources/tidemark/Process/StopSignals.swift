import CommandLineParts
import Foundation
import Glibc

/// SIGTERM and SIGINT: the first asks for a drain, the second ends the process at once, which is as safe as SIGKILL.
///
/// A thread waits for them, while they are blocked in all others: so none is lost, however early it comes.
enum StopSignals {
    private static var all: sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        return signals
    }

    /// From now on `drain` is called, once, by the thread that waits. Before any other thread is started.
    static func watch(drain: @escaping @Sendable () -> Void) {
        var signals = all
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let thread = Thread {
            next()
            drain()
            next()
            _exit(ExitStatus.stoppedBySecondSignal.rawValue)
        }
        thread.name = "signals"
        thread.start()
    }

    private static func next() {
        var signals = all
        var number: Int32 = 0
        while sigwait(&signals, &number) != 0 {}
    }
}
