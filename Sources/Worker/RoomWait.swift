import Engine
import Logging

/// Lets a start that finds a disk full wait, and go on by itself once there is room.
package struct RoomWait {
    /// The least and the longest time between two tries; between them it is as long as the last try took.
    private static let shortestPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(30)
    /// Between two messages that it waits.
    private static let complaintInterval = Duration.seconds(60)

    private let logger: Logger
    private let show: (String?) -> Void
    private let pause: (Duration) -> Bool

    /// `show`: told what it waits for, and nil once it goes on. `pause`: waits for so long; false when the start is to end.
    package init(logger: Logger, show: @escaping (String?) -> Void = { _ in }, pause: @escaping (Duration) -> Bool) {
        self.logger = logger
        self.show = show
        self.pause = pause
    }

    /// Does something, again and again for as long as it fails because a disk is full. `what`: what is done, for people.
    /// `mayWait`: false for a disk that is not to be waited for. Throws what `body` throws otherwise, and kind `retry` when
    /// the start is to end meanwhile.
    package func callAsFunction<Result>(
        _ what: String, while mayWait: (FullDisk) -> Bool = { _ in true }, _ body: () throws -> Result
    ) throws -> Result {
        let began = Clock.now
        var complained: Duration?
        while true {
            let tried = Clock.now
            do {
                let result = try body()
                if complained != nil {
                    logger.notice("\(what): there is room after \((Clock.now - began).components.seconds) s, and the start goes on")
                    show(nil)
                }
                return result
            } catch let error as any Failure where error.kind == .retry && error.fullDisk.map(mayWait) == true {
                if complained.map({ Clock.now - $0 >= RoomWait.complaintInterval }) ?? true {
                    logger.error("the start waits for room on a disk, and goes on by itself; \(what): \(error)")
                    complained = Clock.now
                }
                show(error.description)
                guard pause(min(max(Clock.now - tried, RoomWait.shortestPause), RoomWait.longestPause)) else {
                    throw WorkerError(
                        .retry, "the start was told to end while it waited for room on a disk; \(what): nothing was read", cause: error)
                }
            }
        }
    }
}

extension Worker {
    /// Waits until it is told to drain.
    var room: RoomWait {
        RoomWait(logger: logger) { [weak self] problem in
            self?.publish { $0.problem = problem }
        } pause: { [isStopping] time in
            isStopping.wait(upTo: time) { $0 ? true : nil } == nil
        }
    }
}
