/// The settings that a state is built on, among the entries of its table `meta`.
enum FixedSettings {
    /// What the names of their entries begin with.
    static let prefix = "setting "

    /// By name.
    static func all(in database: Database) throws -> [String: String] {
        var settings: [String: String] = [:]
        let entries = try Statement(database, "SELECT name, value FROM meta")
        while try entries.step() {
            let name = entries.text(0).utf8
            if name.starts(with: prefix.utf8) {
                settings[String(decoding: name.dropFirst(prefix.utf8.count), as: UTF8.self)] = entries.text(1)
            }
        }
        return settings
    }
}
