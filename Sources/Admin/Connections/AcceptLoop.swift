import Foundation
import Glibc
import Synchronization

/// Takes connections for the server, ends those whose time is over or that have to make room, and opens the port anew when it ends.
///
/// Only this thread ends connections (by shutting them down, upon which the server closes them), and only while the pool has them: their
/// descriptors are theirs then.
struct AcceptLoop: ~Copyable {
    private let address: NetworkAddress
    private let port: UInt16
    private let stop: Int32
    private let daemon: HTTPDaemon
    private let tallies: EndingTallies
    private let report: @Sendable (PageReport) -> Void
    /// nil while the port can't be opened.
    private var socket: ListeningSocket?
    private var reserve = DescriptorReserve()
    private var isShortOfDescriptors = false
    private var pause = AcceptLoop.firstPause

    /// Connections that are taken before the clock is looked at again.
    private static let burst = 64
    /// Before the port is opened anew, doubled with every failure.
    private static let firstPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(30)
    /// How long nothing is taken when there is no room for anything.
    private static let fullPause = Duration.milliseconds(5)

    init(
        _ socket: ListeningSocket, at address: NetworkAddress, stop: Int32, daemon: HTTPDaemon, tallies: EndingTallies,
        report: @escaping @Sendable (PageReport) -> Void
    ) {
        self.socket = socket
        self.address = address
        self.stop = stop
        self.daemon = daemon
        self.tallies = tallies
        self.report = report
        port = socket.port
    }

    mutating func run() {
        while !isStopped(or: socket?.descriptor, within: untilDeadline) {
            if socket == nil {
                reopen()
            } else {
                if !isShortOfDescriptors { reserve.fill() }
                take()
            }
            let now = ContinuousClock.now
            for ended in daemon.callbacks.pool.withLock({ $0.overdue(at: now) }) { end(ended.descriptor, ended.why, now) }
        }
    }

    private var untilDeadline: Duration? {
        if socket == nil { return pause }
        let now = ContinuousClock.now
        return daemon.callbacks.pool.withLock { $0.nextDeadline }.map { min(max(.zero, $0 - now), AcceptLoop.longestWait) }
    }

    /// A request that came whole brings a deadline for its answer, which may be before the one that is waited for.
    private static let longestWait = Duration.seconds(1)

    /// Waits for a connection, for the limit, or for the end, upon which it is true.
    private func isStopped(or listener: Int32?, within limit: Duration?) -> Bool {
        var watched = [pollfd(fd: stop, events: Int16(POLLIN), revents: 0)]
        if let listener { watched.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0)) }
        // A millisecond more, or the last part of one would be waited for in a circle.
        let milliseconds =
            limit.map { Int32(clamping: $0.components.seconds * 1000 + $0.components.attoseconds / 1_000_000_000_000_000 + 1) } ?? -1
        _ = poll(&watched, nfds_t(watched.count), milliseconds)
        return watched[0].revents != 0
    }

    // MARK: - Taking

    private mutating func take() {
        for _ in 0..<AcceptLoop.burst {
            guard daemon.callbacks.pool.withLock({ $0.hasRoom(at: .now, hasInput: AcceptLoop.hasInput) }) else {
                // The server's thread answers those who wait, and closes what was ended; who comes meanwhile waits with the kernel.
                _ = isStopped(or: nil, within: AcceptLoop.fullPause)
                return
            }
            switch socket?.take() {
            case .connection(let descriptor, let peer):
                if isShortOfDescriptors {
                    isShortOfDescriptors = false
                    report(PageReport(isProblem: false, text: "the status page has descriptors again"))
                }
                serve(descriptor, peer)
            case .gone: continue
            case .nobody, nil: return
            case .noRoom(let error): return makeRoom(error)
            case .ended(let error): return reportEnd(error)
            }
        }
    }

    private func serve(_ descriptor: Int32, _ peer: NetworkAddress) {
        let now = ContinuousClock.now
        let ended = daemon.callbacks.pool.withLock { $0.admit(descriptor, from: peer.neighbour, at: now, hasInput: AcceptLoop.hasInput) }
        for one in ended { end(one.descriptor, one.why, now) }
        if !daemon.add(descriptor) {
            daemon.callbacks.pool.withLock { $0.remove(descriptor) }
            tell(.refused, now)
        }
    }

    private func end(_ descriptor: Int32, _ why: ConnectionPool.Ending, _ now: ContinuousClock.Instant) {
        daemon.callbacks.pool.withLock { if $0.has(descriptor) { shutdown(descriptor, Int32(SHUT_RDWR)) } }
        tell(why, now)
    }

    private static func hasInput(_ descriptor: Int32) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&watched, 1, 0) > 0 && Int32(watched.revents) & (POLLHUP | POLLERR) == 0
    }

    private func tell(_ why: ConnectionPool.Ending, _ now: ContinuousClock.Instant) {
        if let text = tallies.note(why, at: now) { report(PageReport(isProblem: true, text: text)) }
    }

    // MARK: - Trouble

    /// Somebody else has the descriptors or the memory: an own connection makes room, and the reserve.
    private mutating func makeRoom(_ error: POSIXError) {
        if !isShortOfDescriptors {
            isShortOfDescriptors = true
            report(
                PageReport(
                    isProblem: true,
                    text:
                        "the status page can't take a connection: \(error.words); it goes on with what it has in reserve. Raise the limit of open files (ulimit -n), or see what holds them"
                ))
        }
        if reserve.release() { return }
        let now = ContinuousClock.now
        if let oldest = daemon.callbacks.pool.withLock({ $0.makeRoom(at: now, hasInput: AcceptLoop.hasInput) }) { end(oldest, .full, now) }
        _ = isStopped(or: nil, within: AcceptLoop.fullPause)
    }

    private mutating func reportEnd(_ error: POSIXError) {
        socket = nil
        pause = AcceptLoop.firstPause
        report(
            PageReport(
                isProblem: true, text: "the status page's port \(port) ended: \(error.words); it is opened again until that succeeds"))
    }

    private mutating func reopen() {
        do throws(POSIXError) {
            socket = try ListeningSocket(address, port: port)
            pause = AcceptLoop.firstPause
            report(PageReport(isProblem: false, text: "the status page's port \(port) is open again"))
        } catch {
            // It is said already that the port is closed; why it stays so is said when that is not over soon.
            if pause < AcceptLoop.longestPause, pause * 2 >= AcceptLoop.longestPause {
                report(
                    PageReport(
                        isProblem: true,
                        text:
                            "the status page's port \(port) can't be opened again: \(error.words); it is tried every \(AcceptLoop.longestPause)"
                    ))
            }
            pause = min(pause * 2, AcceptLoop.longestPause)
        }
    }
}

/// Descriptors that are held for the case that the process has no others: a probe can be answered with one of them.
struct DescriptorReserve: ~Copyable {
    private static let size = 8
    private var held: [Int32] = []

    init() { fill() }

    deinit { held.forEach { close($0) } }

    /// Takes back what was given away, as far as there are descriptors.
    mutating func fill() {
        while held.count < DescriptorReserve.size {
            let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return }
            held.append(descriptor)
        }
    }

    /// Gives one descriptor back to the process; false when none is left.
    mutating func release() -> Bool {
        guard let descriptor = held.popLast() else { return false }
        close(descriptor)
        return true
    }
}
