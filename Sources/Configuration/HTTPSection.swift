import Engine

/// `http`: the status page.
package struct HTTPSection: Sendable {
    /// `http.bind`: host and port; port 0 takes a free one, and `off` serves no page (nil).
    package var bind: Address? = Address(host: "127.0.0.1", port: 9464)
    /// `http.token`: what readers present to be shown everything; nil when nobody is.
    package var token: Secret?
    /// `http.open`: anybody on the network may read page and metrics, without records' content.
    package var isOpen = false
    /// `http.hosts`: names and addresses, beside the bound one and those of loopback, under which the page may be asked for.
    package var hosts: [String] = []

    /// Shorter tokens can be guessed; longer ones fit into no header.
    static let tokenLength = 16...256

    package struct Address: Sendable, Hashable, CustomStringConvertible {
        package let host: String
        package let port: UInt16

        package init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }

        /// `host:port`, or `[host]:port` for an IPv6 address.
        package var description: String { host.holds(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

        /// Whether only this machine reaches it.
        package var isLoopback: Bool {
            if host == "localhost" || host == "::1" { return true }
            let parts = host.parts(at: ".", omittingEmpty: false)
            return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil } && parts[0] == "127"
        }

        /// Reads what `description` writes.
        package init?(_ text: String) {
            guard let colon = text.lastIndex(ofSign: ":"), let port = UInt16(text[text.utf8.index(after: colon)...]) else { return nil }
            var host = text[..<colon]
            if host.begins(with: "["), host.ends(with: "]") {
                host = host.dropFirst().dropLast()
            } else if host.holds(":") {
                return nil
            }
            guard !host.isEmpty, !host.utf8.contains(where: { $0 <= 0x20 }) else { return nil }
            self.init(host: String(host), port: port)
        }
    }

    init(_ reader: inout SettingsReader) {
        bind = reader.value("http.bind", default: bind, expected: "host:port such as 127.0.0.1:9464, or off") { text in
            text == "off" ? .some(nil) : Address(text).map { .some($0) }
        }
        let writtenToken = reader.setting("http.token")
        if let writtenToken { token = HTTPSection.readToken(writtenToken, &reader) }
        isOpen = reader.flag("http.open", default: isOpen)
        let expected = "names or IP addresses without ports, separated by commas, such as status.example.com"
        hosts = reader.value("http.hosts", default: hosts, expected: expected, HTTPSection.hostList)
        if let bind, !bind.isLoopback, writtenToken == nil, !isOpen, let setting = reader.setting("http.bind") {
            reader.report(
                setting,
                """
                \(bind) is reached from the network, where nobody may read the page unasked: set http.token (such as "${env:STATUS_TOKEN}") \
                for those who have it to read, or http.open: true to let anybody on the network read page and metrics without \
                records' content, or bind to 127.0.0.1
                """)
        }
    }

    /// An error never shows it, right or not.
    private static func readToken(_ setting: Setting, _ reader: inout SettingsReader) -> Secret? {
        let isVisible = setting.text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        if tokenLength.contains(setting.text.utf8.count), isVisible { return Secret(setting.text) }
        reader.report(
            setting,
            "expected \(tokenLength.lowerBound) to \(tokenLength.upperBound) letters, digits or signs of ASCII without spaces, such as `openssl rand -hex 32` prints"
        )
        return nil
    }

    private static func hostList(_ text: String) -> [String]? {
        let hosts = text.parts(at: ",", omittingEmpty: false).map { part in
            // Spaces around the commas are nobody's.
            String(decoding: part.utf8.drop { $0 == 0x20 }.reversed().drop { $0 == 0x20 }.reversed(), as: UTF8.self)
        }
        return hosts.allSatisfy(isHost) ? hosts : nil
    }

    private static func isHost(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { PlainName.isByte($0) || $0 == UInt8(ascii: ":") }
            && (!text.holds(":") || text.utf8.count { $0 == UInt8(ascii: ":") } > 1)
    }

    /// Who is shown what, in words for `check` and the log; nil without a page.
    package var audience: String? {
        guard let bind else { return nil }
        let withToken =
            token == nil ? "nobody is shown records' content, as http.token is not set" : "who has http.token is shown records' content too"
        if bind.isLoopback { return "anybody on this machine reads page and metrics; \(withToken)" }
        if isOpen { return "anybody on the network reads page and metrics (http.open: true); \(withToken)" }
        return "who has http.token reads everything; anybody on the network reads /livez and /readyz, and nothing else"
    }
}
