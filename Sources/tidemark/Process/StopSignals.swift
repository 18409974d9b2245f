import CommandLineParts
import Dispatch
import Foundation

/// SIGTERM and SIGINT: the first asks for a drain, the second ends the process at once, which is as safe as SIGKILL.
final class StopSignals {
    private var sources: [any DispatchSourceSignal] = []
    private let queue = DispatchQueue(label: "signals")

    init(drain: @escaping @Sendable () -> Void) {
        // Both handlers run on one serial queue, so the count needs no lock.
        let count = SignalCount()
        for number in [SIGTERM, SIGINT] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                count.value += 1
                guard count.value == 1 else { _exit(ExitStatus.stoppedBySecondSignal.rawValue) }
                drain()
            }
            source.resume()
            sources.append(source)
        }
    }
}

/// `@unchecked Sendable`: touched on one serial queue alone.
private final class SignalCount: @unchecked Sendable {
    var value = 0
}
