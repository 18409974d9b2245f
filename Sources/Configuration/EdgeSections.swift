import Engine

/// `http`: the status page.
public struct HTTPSection: Sendable {
    /// `http.bind`: host and port; port 0 takes a free one, and `off` serves no page (nil).
    public var bind: Address? = Address(host: "127.0.0.1", port: 9464)

    public struct Address: Sendable, Hashable, CustomStringConvertible {
        public let host: String
        public let port: UInt16

        public init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }

        /// `host:port`, or `[host]:port` for an IPv6 address.
        public var description: String { host.holds(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

        /// Reads what `description` writes.
        public init?(_ text: String) {
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
    }
}

/// `log`: what is written to standard error.
public struct LogSection: Sendable {
    /// `log.level`
    public var level = Level.info
    /// `log.format`
    public var format = Format.auto

    public enum Level: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    public enum Format: String, Sendable, CaseIterable {
        /// Text on a terminal, JSON lines otherwise.
        case auto
        case text, json
    }

    /// The defaults, for commands without a configuration.
    public init() {}

    init(_ reader: inout SettingsReader) {
        level = reader.choice("log.level", default: level)
        format = reader.choice("log.format", default: format)
    }
}
