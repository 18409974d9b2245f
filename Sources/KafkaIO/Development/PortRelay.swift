import Engine
import Foundation
import Synchronization

/// Passes TCP connections to one port of 127.0.0.1 on to another, byte by byte, until it is freed.
final class PortRelay: Sendable {
    /// More connections than this at once are closed as they come.
    static let maximumConnections = 256
    /// A side that takes nothing for so long loses its connection: the thread is the others' too.
    static let sendLimit = 5
    /// Before the next look, when there are no descriptors for who waits.
    static let fullPause: UInt32 = 20_000

    private let listener: Int32
    private let stopWriteEnd: Int32
    private let stopReadEnd: Int32
    private let ended = DispatchSemaphore(value: 0)

    init(port: Int, target: Int) throws {
        guard (1...65_535).contains(port) else { throw SourceError(.invalid, "\(port) is no TCP port: choose one of 1 to 65535") }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SourceError(.retry, "no pipe for the development broker: \(Self.reason())") }
        (stopReadEnd, stopWriteEnd) = (ends[0], ends[1])
        do {
            listener = try Self.listen(on: port)
        } catch {
            close(ends[0])
            close(ends[1])
            throw error
        }
        let (listener, stop, ended) = (listener, stopReadEnd, ended)
        Thread.detachNewThread {
            var relaying = RelayedConnections(listener: listener, stop: stop, target: target)
            relaying.run()
            ended.signal()
        }
    }

    deinit {
        close(stopWriteEnd)  // wakes the thread's poll
        ended.wait()
        close(stopReadEnd)
        close(listener)
    }

    static func reason() -> String { String(cString: strerror(errno)) }

    static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func listen(on port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SourceError(.retry, "no socket for the development broker: \(reason())") }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = address(port)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0, Glibc.listen(descriptor, 64) == 0 else {
            let reason = reason()
            close(descriptor)
            throw SourceError(.invalid, "the development broker can't listen on 127.0.0.1:\(port): \(reason); choose another port, or none")
        }
        return descriptor
    }
}

/// The connections of a relay and the thread's loop over them. Descriptors are closed when their connection ends.
private struct RelayedConnections: ~Copyable {
    private struct Pair {
        let client: Int32
        let broker: Int32
    }

    private let listener: Int32
    private let stop: Int32
    private let target: Int
    private var pairs: [Pair] = []
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init(listener: Int32, stop: Int32, target: Int) {
        self.listener = listener
        self.stop = stop
        self.target = target
    }

    deinit { for pair in pairs { Self.end(pair) } }

    mutating func run() {
        while true {
            var watched = [pollfd(fd: stop, events: Int16(POLLIN), revents: 0), pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
            for pair in pairs {
                watched.append(pollfd(fd: pair.client, events: Int16(POLLIN), revents: 0))
                watched.append(pollfd(fd: pair.broker, events: Int16(POLLIN), revents: 0))
            }
            guard poll(&watched, nfds_t(watched.count), -1) > 0 else {
                if errno == EINTR || errno == ENOMEM { continue }
                return
            }
            if watched[0].revents != 0 { return }
            for index in pairs.indices.reversed() where !pass(pairs[index], watched[2 + 2 * index].revents, watched[3 + 2 * index].revents)
            {
                Self.end(pairs.remove(at: index))
            }
            if watched[1].revents != 0 { accept() }
        }
    }

    /// Moves what one side has sent to the other; false when the connection is over.
    private mutating func pass(_ pair: Pair, _ client: Int16, _ broker: Int16) -> Bool {
        (client == 0 || move(from: pair.client, to: pair.broker)) && (broker == 0 || move(from: pair.broker, to: pair.client))
    }

    private mutating func move(from source: Int32, to sink: Int32) -> Bool {
        let count = recv(source, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        var sent = 0
        while sent < count {
            let written = buffer.withUnsafeBytes { Glibc.send(sink, $0.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL)) }
            guard written > 0 else { return false }
            sent += written
        }
        return true
    }

    private mutating func accept() {
        let client = Glibc.accept(listener, nil, nil)
        guard client >= 0 else {
            // Who waits stays waiting, and poll says so at once.
            if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) { usleep(PortRelay.fullPause) }
            return
        }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        let broker = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let pair = Pair(client: client, broker: broker)
        var address = PortRelay.address(target)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(broker, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        for end in [client, broker] {
            var limit = timeval(tv_sec: PortRelay.sendLimit, tv_usec: 0)
            setsockopt(end, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connected == 0, pairs.count < PortRelay.maximumConnections else { return Self.end(pair) }
        pairs.append(pair)
    }

    private static func end(_ pair: Pair) {
        close(pair.client)
        if pair.broker >= 0 { close(pair.broker) }
    }
}
