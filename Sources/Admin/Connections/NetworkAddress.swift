import Glibc

/// An IP address; one of IPv4 that is written in IPv6 is the one of IPv4.
struct NetworkAddress: Hashable, Sendable {
    /// 4 or 16.
    let bytes: [UInt8]

    private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
    /// What one household or machine is given of IPv6, at least: 64 bits.
    private static let networkBytes = 8

    init(bytes: [UInt8]) {
        self.bytes = bytes.count == 16 && bytes.starts(with: NetworkAddress.mappedPrefix) ? Array(bytes[12...]) : bytes
    }

    /// Reads `127.0.0.1` or `::1`; nil for anything else, names included.
    init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(bytes: withUnsafeBytes(of: &four) { Array($0) })
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bytes: withUnsafeBytes(of: &six) { Array($0) })
        } else {
            return nil
        }
    }

    /// nil for what is neither IPv4 nor IPv6.
    init?(_ storage: sockaddr_storage) {
        switch Int32(storage.ss_family) {
        case AF_INET:
            self.init(
                bytes: withUnsafeBytes(of: storage) { bytes in
                    var address = bytes.loadUnaligned(as: sockaddr_in.self).sin_addr
                    return withUnsafeBytes(of: &address) { Array($0) }
                })
        case AF_INET6:
            self.init(
                bytes: withUnsafeBytes(of: storage) { bytes in
                    var address = bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr
                    return withUnsafeBytes(of: &address) { Array($0) }
                })
        default: return nil
        }
    }

    /// What is counted as one neighbour: the address, of IPv6 its network of 64 bits, whose addresses a neighbour may choose from.
    var neighbour: NetworkAddress { bytes.count == 16 ? NetworkAddress(bytes: Array(bytes[..<NetworkAddress.networkBytes])) : self }
}
