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
