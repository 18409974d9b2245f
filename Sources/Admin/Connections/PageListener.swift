import Foundation

/// Something that the page has to say to the log.
package struct PageReport: Sendable {
    package let isProblem: Bool
    package let text: String
}

/// The thread that takes the page's connections; it ends with the last reference.
final class PageListener: Sendable {
    /// At most 15 bytes, as the kernel keeps it.
    static let threadName = "tidemark-page"

    private let stopWriteEnd: Int32
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameter socket: listens at `address` already.
    init(
        _ socket: ListeningSocket, at address: NetworkAddress, daemon: HTTPDaemon, tallies: EndingTallies,
        report: @escaping @Sendable (PageReport) -> Void
    ) throws(AdminError) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw AdminError(.retry, "no pipe for the status page: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        stopWriteEnd = ends[1]
        let (stop, ended) = (ends[0], ended)
        Thread.detachNewThread {
            Thread.current.name = PageListener.threadName
            PageListener.run(AcceptLoop(socket, at: address, stop: stop, daemon: daemon, tallies: tallies, report: report))
            close(stop)
            ended.signal()
        }
    }

    private static func run(_ loop: consuming AcceptLoop) { loop.run() }

    deinit {
        close(stopWriteEnd)  // wakes the thread's poll
        ended.wait()
    }
}
