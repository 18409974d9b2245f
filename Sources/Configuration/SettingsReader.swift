import Engine

/// Gives settings their types and gathers what is wrong with them, so that one run reports everything.
///
/// The keys that were asked for are the keys there are: what is left over is unknown.
struct SettingsReader {
    private let file: String
    private let fileSettings: [String: Setting]
    /// By upper-case name.
    private let environmentSettings: [String: (name: String, text: String)]
    private let flagSettings: [String: Setting]
    private let references: References
    private let unreadable: [ConfigurationError.Problem]?

    private(set) var askedKeys: Set<String> = []
    private var askedMaps: Set<String> = []
    private(set) var secrets: [Secret] = []
    /// The files that secrets were read from.
    private(set) var secretFiles: Set<String> = []
    /// What somebody should know of settings that are fine, for people.
    private(set) var notes: [String] = []
    private var problems: [(order: Int, problem: ConfigurationError.Problem)] = []

    /// What keys were called once, by their present names: they work as before.
    private static let formerKeys = ["clickhouse.resolveDelay": "clickhouse.settleDelay"]

    init(yaml: String, file: String, environment: [String: String], flags: [String]) {
        self.file = file
        references = References(environment: environment)
        let parsed = YAMLSettings(yaml, file: file)
        unreadable = parsed.isReadable ? nil : parsed.problems
        fileSettings = Dictionary(parsed.settings.map { ($0.key, $0) }) { $1 }
        environmentSettings = Dictionary(
            environment.filter { $0.key.uppercased().begins(with: EnvironmentName.prefix) }.sorted { $0.key < $1.key }
                .map { ($0.key.uppercased(), (name: $0.key, text: $0.value)) }
        ) { $1 }
        var flagSettings: [String: Setting] = [:]
        problems = parsed.problems.map { (0, $0) }
        for flag in flags {
            guard let equals = flag.firstIndex(ofSign: "="), equals > flag.startIndex else {
                let explanation = "expected key=value such as clickhouse.url=http://127.0.0.1:8123, found no = with a key before it"
                problems.append((.max, .init(place: "--set", key: "", explanation: explanation)))
                continue
            }
            let key = String(flag[..<equals])
            flagSettings[key] = Setting(key: key, text: String(flag[flag.utf8.index(after: equals)...]), origin: .flag)
        }
        self.flagSettings = flagSettings
    }

    // MARK: - What was written

    /// The setting of a key, its references resolved; nil when it is not written anywhere, or unusable (and reported).
    mutating func setting(_ key: String) -> Setting? {
        askedKeys.insert(key)
        let former = SettingsReader.formerKeys[key].flatMap(written)
        if let former {
            askedKeys.insert(former.key)
            notes.append("\(former.origin.place): \(former.key) is called \(key) now; it works as before")
        }
        guard let written = written(key) ?? former else { return nil }
        if let former, written.key != former.key { report(former, "is called \(key) now, which is set as well: remove this one") }
        guard !written.isNull else {
            report(written, "has no value; give it one, or leave the key out for its default")
            return nil
        }
        return resolve(written)
    }

    private func written(_ key: String) -> Setting? {
        let environment = environmentSettings[EnvironmentName.of(key)].map {
            Setting(key: key, text: $0.text, origin: .environment($0.name))
        }
        return flagSettings[key] ?? environment ?? fileSettings[key]
    }

    /// The entries below a map's key, by the rest of their keys.
    mutating func map(_ key: String) -> [String: Setting] {
        askedMaps.insert(key)
        var written: [String: Setting] = [:]
        for setting in fileSettings.values {
            if let entry = setting.key.rest(after: key + ".") { written[String(entry)] = setting }
        }
        for (name, text) in environmentSettings.values {
            guard let entry = EnvironmentName.entry(of: name, in: key) else { continue }
            written[entry] = Setting(key: "\(key).\(entry)", text: text, origin: .environment(name))
        }
        for setting in flagSettings.values {
            if let entry = setting.key.rest(after: key + ".") { written[String(entry)] = setting }
        }
        var resolved: [String: Setting] = [:]
        for (entry, setting) in written {
            if setting.isNull {
                report(setting, "has no value; give it one, or leave the property out for its default")
            } else {
                resolved[entry] = resolve(setting)
            }
        }
        return resolved
    }

    private mutating func resolve(_ setting: Setting) -> Setting? {
        do {
            let resolved = try references.resolve(setting.text)
            secrets += resolved.secrets
            secretFiles.formUnion(resolved.files)
            return Setting(key: setting.key, text: resolved.text, origin: setting.origin, hasReference: !resolved.secrets.isEmpty)
        } catch {
            report(setting, error.explanation)
            return nil
        }
    }

    // MARK: - Types

    /// A value that `parse` understands; else an error that says what was expected.
    mutating func value<Value>(_ key: String, default standard: Value, expected: String, _ parse: (String) -> Value?) -> Value {
        guard let setting = setting(key) else { return standard }
        guard let value = parse(setting.text) else {
            report(setting, "expected \(expected), found \(shown(setting))")
            return standard
        }
        return value
    }

    mutating func flag(_ key: String, default standard: Bool) -> Bool {
        value(key, default: standard, expected: "true or false") { ["true": true, "false": false][$0] }
    }

    mutating func integer(_ key: String, default standard: Int, in range: ClosedRange<Int>) -> Int {
        value(key, default: standard, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// What a length of time has to be, in words and numbers: between two texts of the same form, both included.
    private static func length(from least: String, to greatest: String) -> (expected: String, parse: (String) -> Int64?) {
        let range = Units.milliseconds(least)!...Units.milliseconds(greatest)!
        return (
            "a duration such as 500ms, 30s, 5m, 24h or 30d, from \(least) to \(greatest)",
            { Units.milliseconds($0).flatMap { range.contains($0) ? $0 : nil } }
        )
    }

    /// A length of time in milliseconds between two texts of the same form, both included.
    mutating func milliseconds(_ key: String, default standard: Int64, from least: String, to greatest: String) -> Int64 {
        let length = SettingsReader.length(from: least, to: greatest)
        return value(key, default: standard, expected: length.expected, length.parse)
    }

    mutating func duration(_ key: String, default standard: Duration, from least: String, to greatest: String) -> Duration {
        let (seconds, attoseconds) = standard.components
        let standardMilliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        return .milliseconds(milliseconds(key, default: standardMilliseconds, from: least, to: greatest))
    }

    mutating func span(_ key: String, default standard: EventSpan, from least: String, to greatest: String) -> EventSpan {
        EventSpan(milliseconds: milliseconds(key, default: standard.milliseconds, from: least, to: greatest))
    }

    /// As `span`, or nil for `off`.
    mutating func optionalSpan(_ key: String, default standard: EventSpan?, from least: String, to greatest: String) -> EventSpan? {
        let length = SettingsReader.length(from: least, to: greatest)
        return value(key, default: standard, expected: "off, or \(length.expected)") { text -> EventSpan?? in
            text == "off" ? .some(nil) : length.parse(text).map { EventSpan(milliseconds: $0) }
        }
    }

    /// A size in bytes between two texts of the same form, both included.
    mutating func bytes(_ key: String, default standard: Int, from least: String, to greatest: String) -> Int {
        let range = Units.bytes(least)!...Units.bytes(greatest)!
        return value(key, default: standard, expected: "a size such as 64KiB, 512MiB or 2GiB, from \(least) to \(greatest)") { text in
            Units.bytes(text).flatMap { range.contains($0) ? Int($0) : nil }
        }
    }

    /// The address of an HTTP server, without the slash at its end; `instead` says where user and password belong.
    mutating func httpURL(_ setting: Setting, expected: String, instead: String) -> String {
        guard !setting.text.holds("@") else {
            report(setting, "must not hold user or password; \(instead)")
            return ""
        }
        guard let scheme = setting.text.firstRange(of: "://"), ["http", "https"].contains(setting.text[..<scheme.lowerBound]),
            let host = setting.text[scheme.upperBound...].parts(at: "/", omittingEmpty: false).first, !host.isEmpty
        else {
            report(setting, "expected \(expected), found \(shown(setting))")
            return ""
        }
        if setting.text.utf8.contains(where: { $0 <= 0x20 || "?#".utf8.contains($0) }) {
            report(setting, "expected \(expected), without spaces, ? or #")
        }
        return setting.text.rest(before: "/").map(String.init) ?? setting.text
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, default standard: Choice) -> Choice
    where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        return value(key, default: standard, expected: "one of \(names.joined(separator: ", "))") { Choice(rawValue: $0) }
    }

    // MARK: - Problems

    mutating func report(_ setting: Setting, _ explanation: String) {
        let order: Int
        switch setting.origin {
        case .file(_, let line): order = line
        case .environment: order = .max - 1
        case .flag: order = .max
        }
        problems.append((order, .init(place: setting.origin.place, key: setting.key, explanation: explanation)))
    }

    /// A key that has no default is missing.
    mutating func reportMissing(_ key: String, _ explanation: String) {
        problems.append((.max - 2, .init(place: file, key: key, explanation: explanation)))
    }

    /// A value in quotes, or what stands in for it when it may be a secret.
    func shown(_ setting: Setting) -> String {
        setting.hasReference || SettingsReader.mayHoldPassword(setting.text) ? Secret.placeholder : "\"\(setting.text)\""
    }

    /// True for an address that may have a user and password in front of its host.
    private static func mayHoldPassword(_ text: String) -> Bool {
        guard let scheme = text.utf8.firstRange(of: "://".utf8) else { return false }
        return text.utf8[scheme.upperBound...].contains(UInt8(ascii: "@"))
    }

    /// Everything that is wrong, unknown keys included, in the order of the file; of a file that can't be read only why.
    mutating func finish() -> [ConfigurationError.Problem] {
        if let unreadable { return unreadable }
        for setting in fileSettings.values.sorted(by: { $0.key < $1.key }) + flagSettings.values.sorted(by: { $0.key < $1.key }) {
            if !isKnown(setting) { report(setting, explainUnknown(setting.key)) }
        }
        reportUnknownVariables()
        return problems.enumerated().sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }.map(\.element.problem)
    }

    private func isKnown(_ setting: Setting) -> Bool {
        if askedKeys.contains(setting.key) || askedMaps.contains(where: { setting.key.begins(with: $0 + ".") }) { return true }
        return setting.isNull && isSection(setting.key)
    }

    private func isSection(_ key: String) -> Bool {
        askedMaps.contains(key) || (askedKeys.union(askedMaps)).contains { $0.begins(with: key + ".") }
    }

    private func explainUnknown(_ key: String) -> String {
        if isSection(key) {
            let example = askedKeys.filter { $0.begins(with: key + ".") }.sorted().first ?? "\(key).bootstrap.servers"
            return "is a section; expected keys below it, such as \(example)"
        }
        if let value = askedKeys.first(where: { key.begins(with: $0 + ".") }) {
            return "unknown key: \(value) takes a single value and has no keys below it"
        }
        guard let near = Suggestion.nearest(to: key, among: askedKeys.union(askedMaps)) else { return "unknown key" }
        return "unknown key; did you mean \(near)?"
    }

    /// Variables that name a section of ours must name a key in it; others may be anybody's.
    private mutating func reportUnknownVariables() {
        let known = Dictionary(askedKeys.map { (EnvironmentName.of($0), $0) }) { $1 }
        let sections = Set(askedKeys.compactMap { $0.parts(at: ".").first }.map { EnvironmentName.of(String($0)) + "_" })
        for (upper, variable) in environmentSettings.sorted(by: { $0.key < $1.key }) {
            guard known[upper] == nil, sections.contains(where: { upper.begins(with: $0) }) else { continue }
            guard !askedMaps.contains(where: { EnvironmentName.entry(of: upper, in: $0) != nil }) else { continue }
            let near = Suggestion.nearest(to: upper, among: known.keys).map { "; did you mean \($0)?" } ?? ""
            let place = SettingOrigin.environment(variable.name).place
            problems.append((.max - 1, .init(place: place, key: "", explanation: "names no key of the configuration\(near)")))
        }
    }
}
