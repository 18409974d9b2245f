/// The settings that a state is built on, among the entries of its table `meta`.
enum FixedSettings {
    /// What the names of their entries begin with.
    static let prefix = "setting "

    /// By name.
    static func all(in database: Database) throws -> [String: String] {
        try Dictionary(MetaTable(database).entries(prefix).map { ($0.name, $0.value) }) { $1 }
    }
}
