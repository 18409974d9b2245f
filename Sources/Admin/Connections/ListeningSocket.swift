import Foundation

/// A TCP socket that listens at an address of this machine; closed with its last reference.
final class ListeningSocket: Sendable {
    let descriptor: Int32
    /// The one that was bound, also when any free one was asked for.
    let port: UInt16

    /// Connections that the kernel keeps until they are taken; it may lower it (`net.core.somaxconn`).
    private static let backlog: Int32 = 1024

    /// - Parameter port: 0 for any free one.
    init(_ address: NetworkAddress, port: UInt16) throws(POSIXError) {
        let isSix = address.bytes.count == 16
        let descriptor = socket(isSix ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue) | ListeningSocket.flags, 0)
        guard descriptor >= 0 else { throw ListeningSocket.systemError() }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var storage = ListeningSocket.storage(address, port)
        var length = socklen_t(isSix ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && listen(descriptor, ListeningSocket.backlog) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isListening else {
            let error = ListeningSocket.systemError()
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        // The port is at the same place in both kinds of address.
        self.port = withUnsafeBytes(of: &storage) { UInt16(bigEndian: $0.loadUnaligned(as: sockaddr_in.self).sin_port) }
    }

    deinit { close(descriptor) }

    /// What became of taking a connection.
    enum Taken {
        case connection(Int32, NetworkAddress)
        /// Nobody waits.
        case nobody
        /// The one that waited is gone; the next may be taken.
        case gone
        /// There are no descriptors or no memory for it.
        case noRoom(POSIXError)
        /// The socket is of no use any more.
        case ended(POSIXError)
    }

    /// Takes the next connection without waiting for one.
    func take() -> Taken {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let taken = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { accept(descriptor, $0, &length) }
        }
        guard taken < 0 else {
            guard let address = NetworkAddress(storage) else {
                close(taken)
                return .gone
            }
            _ = fcntl(taken, F_SETFD, FD_CLOEXEC)
            _ = fcntl(taken, F_SETFL, fcntl(taken, F_GETFL) | O_NONBLOCK)
            return .connection(taken, address)
        }
        let error = ListeningSocket.systemError()
        switch error.code {
        case .EAGAIN: return .nobody
        // What accept(2) says of networks: the connection's own trouble.
        case .EINTR, .ECONNABORTED, .EPROTO, .EPERM, .ENETDOWN, .ENOPROTOOPT, .EHOSTDOWN, .ENONET, .EHOSTUNREACH, .EOPNOTSUPP, .ENETUNREACH:
            return .gone
        case .EMFILE, .ENFILE, .ENOBUFS, .ENOMEM: return .noRoom(error)
        default: return .ended(error)
        }
    }

    private static let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

    private static func systemError() -> POSIXError { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }

    private static func storage(_ address: NetworkAddress, _ port: UInt16) -> sockaddr_storage {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { bytes in
            if address.bytes.count == 16 {
                var six = sockaddr_in6()
                six.sin6_family = sa_family_t(AF_INET6)
                six.sin6_port = port.bigEndian
                withUnsafeMutableBytes(of: &six.sin6_addr) { $0.copyBytes(from: address.bytes) }
                bytes.storeBytes(of: six, as: sockaddr_in6.self)
            } else {
                var four = sockaddr_in()
                four.sin_family = sa_family_t(AF_INET)
                four.sin_port = port.bigEndian
                withUnsafeMutableBytes(of: &four.sin_addr) { $0.copyBytes(from: address.bytes) }
                bytes.storeBytes(of: four, as: sockaddr_in.self)
            }
        }
        return storage
    }
}

extension POSIXError {
    /// The system's own, such as `Address already in use`.
    var words: String { String(cString: strerror(code.rawValue)) }
}
