import Foundation

/// Who may read what of the status page. docs/SECURITY.md has this as a table, and a test holds the two together.
package struct PageAccess: Sendable {
    /// Where the page's address is.
    package enum Place: Sendable, CaseIterable {
        /// Only this machine reaches it.
        case loopback
        case network
    }

    /// What somebody presented.
    enum Credentials: Sendable, CaseIterable {
        case none, right, wrong
    }

    /// What somebody is shown.
    enum Level: Sendable, Hashable {
        /// Nothing: the token is asked for.
        case denied
        /// No path of that name is there.
        case missing
        /// Everything but what may quote records.
        case withoutRecords
        case everything
    }

    /// What can be asked for.
    enum Resource: String, Sendable, CaseIterable {
        case page = "/"
        case status = "/status"
        case metrics = "/metrics"
        case login = "/login"
        case live = "/livez"
        case ready = "/readyz"
        case health = "/healthz"
    }

    let place: Place
    let token: [UInt8]?
    let isOpen: Bool
    /// The names, in lower case, and the addresses under which the page may be asked for, beside the address of the connection itself.
    let names: Set<String>
    let addresses: Set<NetworkAddress>

    /// - Parameters:
    ///   - bound: the address that the page is bound to, as it is configured.
    ///   - token: what readers have to present; nil when there is none.
    ///   - isOpen: whether anybody on the network may read page and metrics, without records' content.
    ///   - hosts: further names and addresses under which the page may be asked for.
    package init(place: Place, bound: String, token: String? = nil, isOpen: Bool = false, hosts: [String] = []) {
        self.place = place
        self.token = token.map { Array($0.utf8) }
        self.isOpen = isOpen
        let all = ["localhost", "127.0.0.1", "::1", bound] + hosts
        addresses = Set(all.compactMap { NetworkAddress($0) })
        names = Set(all.filter { NetworkAddress($0) == nil }.map { $0.lowercased() })
    }

    func level(_ resource: Resource, _ credentials: Credentials) -> Level {
        switch (resource, credentials) {
        case (.live, _), (.ready, _): .withoutRecords
        case (.login, _) where token == nil: .missing
        case (_, .right): .everything
        case (.login, _), (_, .wrong): .denied
        case (_, .none): place == .loopback || isOpen ? .withoutRecords : .denied
        }
    }

    // MARK: - What was presented

    /// `Authorization: Bearer TOKEN`, or for browsers `Basic` with the token as the password of any user.
    ///
    /// Where no token is set there is nothing to compare with: what is presented then counts as nothing.
    func credentials(_ authorization: String?) -> Credentials {
        guard let token, let authorization else { return .none }
        let parts = authorization.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, let scheme = String(parts[0])?.lowercased() else { return .wrong }
        let presented: [UInt8]
        switch scheme {
        case "bearer": presented = Array(parts[1])
        case "basic":
            guard let decoded = Data(base64Encoded: Data(parts[1])), let colon = decoded.firstIndex(of: UInt8(ascii: ":")) else {
                return .wrong
            }
            presented = Array(decoded[decoded.index(after: colon)...])
        default: return .wrong
        }
        return PageAccess.isEqual(presented, token) ? .right : .wrong
    }

    /// Takes as long for every text of one length, whatever of it is right.
    private static func isEqual(_ presented: [UInt8], _ token: [UInt8]) -> Bool {
        guard !token.isEmpty else { return false }
        var difference = presented.count ^ token.count
        for index in presented.indices { difference |= Int(presented[index] ^ token[index % token.count]) }
        return difference == 0
    }

    /// Whether the page answers to the name in a request's Host header: names of others that lead here (DNS rebinding) are refused.
    ///
    /// - Parameters:
    ///   - host: the header; nil where there is none, as in HTTP 1.0, which browsers don't speak.
    ///   - local: the address of this machine that the connection came to.
    func answers(to host: String?, at local: () -> NetworkAddress?) -> Bool {
        guard let host else { return true }
        guard let name = PageAccess.hostName(host) else { return false }
        guard let address = NetworkAddress(name) else { return names.contains(name) }
        return addresses.contains(address) || local() == address
    }

    /// Whether a request's Origin header, where there is one, is the page itself: other pages get no answer to read.
    func isOwn(origin: String?, at local: () -> NetworkAddress?) -> Bool {
        guard let origin else { return true }
        guard let scheme = origin.utf8.firstRange(of: "://".utf8), let host = String(origin.utf8[scheme.upperBound...]), !host.isEmpty
        else { return false }
        return answers(to: host, at: local)
    }

    /// The name or address of `name:port`, in lower case; nil when that is not what it is.
    private static func hostName(_ host: String) -> String? {
        var name = host.utf8[...]
        if name.first == UInt8(ascii: "[") {
            guard let end = name.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let port = name[name.index(after: end)...]
            guard port.isEmpty || isPort(port) else { return nil }
            name = name[name.index(after: name.startIndex)..<end]
        } else if let colon = name.firstIndex(of: UInt8(ascii: ":")) {
            guard isPort(name[colon...]) else { return nil }
            name = name[..<colon]
        }
        return name.isEmpty ? nil : String(name)?.lowercased()
    }

    private static func isPort(_ text: Substring.UTF8View) -> Bool {
        text.first == UInt8(ascii: ":") && text.dropFirst().allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
