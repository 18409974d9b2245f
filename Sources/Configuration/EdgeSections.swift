/// `log`: what is written to standard error.
package struct LogSection: Sendable {
    /// `log.level`
    package var level = Level.info
    /// `log.format`
    package var format = Format.auto

    package enum Level: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    package enum Format: String, Sendable, CaseIterable {
        /// Text on a terminal, JSON lines otherwise.
        case auto
        case text, json
    }

    /// The defaults, for commands without a configuration.
    package init() {}

    init(_ reader: inout SettingsReader) {
        level = reader.choice("log.level", default: level)
        format = reader.choice("log.format", default: format)
    }
}
