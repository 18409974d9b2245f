import Engine

/// One value of the configuration as it was written, before it has a type.
struct Setting: Sendable {
    let key: String
    let text: String
    let origin: SettingOrigin
    /// Written as nothing or `null`, which is no value.
    var isNull = false
    /// It had a part that stands in for a secret.
    var hasReference = false
}

/// Where a setting was written. A later case overrides an earlier one.
enum SettingOrigin: Sendable {
    case file(String, line: Int)
    case environment(String)
    case flag

    /// The place as errors name it.
    var place: String {
        switch self {
        case .file(let name, let line): "\(name):\(line)"
        case .environment(let name): "environment variable \(name)"
        case .flag: "--set"
        }
    }
}

/// A key as an environment variable writes it: `TIDEMARK_`, then the key with its dots as underscores. Case doesn't
/// count, and no key has an underscore, so the mapping is one to one.
enum EnvironmentName {
    static let prefix = "TIDEMARK_"

    /// `clickhouse.flushInterval` gives `TIDEMARK_CLICKHOUSE_FLUSHINTERVAL`.
    static func of(_ key: String) -> String {
        prefix + key.uppercased().parts(at: ".", omittingEmpty: false).joined(separator: "_")
    }

    /// What a variable below a map names in it: `TIDEMARK_INPUT_KAFKA_PROPERTIES_BOOTSTRAP_SERVERS` gives
    /// `bootstrap.servers`. librdkafka's names are lower case with dots.
    static func entry(of name: String, in map: String) -> String? {
        let start = of(map) + "_"
        guard name.uppercased().begins(with: start), name.count > start.count else { return nil }
        return name.dropFirst(start.count).lowercased().parts(at: "_", omittingEmpty: false).joined(separator: ".")
    }
}
