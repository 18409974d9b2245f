import Engine

/// What a server knows: from 18.16, without half of today's types, to the newest.
package struct ServerDialect: Sendable, Equatable {
    /// As `select version()` says it.
    package var version: String
    /// The zone of columns that name none.
    package var timeZone: String
    /// Type families, by their own names, without aliases.
    package var types: Set<String>
    /// Settings of a query that we might send; an unknown one would be refused.
    package var settings: Set<String>
    /// Settings of a MergeTree table that we might write.
    package var tableSettings: Set<String>
    package var hasSkippingIndices: Bool
    /// `LowCardinality` without a setting that allows it, taken from blocks that hold its inner type. 18.16 has neither.
    package var hasLowCardinality: Bool
    /// `SYSTEM SYNC REPLICA … LIGHTWEIGHT`
    package var hasLightweightSync: Bool

    /// A server of today, for statements that are printed without one.
    package static let modern = ServerDialect(
        version: "26.9", timeZone: "UTC", types: ["Bool", "DateTime64", "Map", "Decimal", "LowCardinality"],
        settings: wantedSettings, tableSettings: ["non_replicated_deduplication_window"],
        hasSkippingIndices: true, hasLowCardinality: true, hasLightweightSync: true
    )

    static let wantedSettings: Set<String> = [
        "async_insert", "http_receive_timeout", "insert_deduplication_token", "insert_deduplicate", "deduplicate_insert",
        "max_insert_block_size", "max_insert_block_size_rows", "max_insert_block_size_bytes",
        "mutations_sync",
    ]

    var hasDateTime64: Bool { types.contains("DateTime64") }
    var hasBool: Bool { types.contains("Bool") }
    var hasMap: Bool { types.contains("Map") }

    /// Asks the server. Throws when it can't be asked, or lacks something that every version in question has.
    static func detect(_ connection: ClickHouseConnection) throws(SinkError) -> ServerDialect {
        guard let identity = try connection.rows("SELECT version(), timezone()").first, identity.count == 2 else {
            throw SinkError(.invalid, "\(connection.settings.url) answered `SELECT version()` with nothing: is it ClickHouse's HTTP port?")
        }
        let number = versionNumber(identity[0])
        let wanted = wantedSettings.sorted().map(SQLText.string).joined(separator: ", ")
        let mustAllow = try connection.rows(
            "SELECT 1 FROM system.settings WHERE name = 'allow_experimental_low_cardinality_type' AND value = '0'")
        let dialect = ServerDialect(
            version: identity[0], timeZone: identity[1],
            types: Set(try connection.rows("SELECT name FROM system.data_type_families WHERE alias_to = ''").map { $0[0] }),
            settings: Set(try connection.rows("SELECT name FROM system.settings WHERE name IN (\(wanted))").map { $0[0] }),
            tableSettings: Set(try connection.rows("SELECT name FROM system.merge_tree_settings WHERE name LIKE '%dedup%'").map { $0[0] }),
            hasSkippingIndices: try !connection.rows(
                "SELECT 1 FROM system.tables WHERE database = 'system' AND name = 'data_skipping_indices'"
            ).isEmpty,
            hasLowCardinality: number >= 1900 && mustAllow.isEmpty,
            hasLightweightSync: number >= 2305
        )
        guard dialect.types.contains("Decimal") else {
            throw SinkError(
                .incompatible, "ClickHouse \(dialect.version) at \(connection.settings.url) has no Decimal type: 18.16 or newer is needed")
        }
        return dialect
    }

    /// `23.5.1.3` as 2305.
    private static func versionNumber(_ version: String) -> Int {
        let parts = version.parts(at: ".").prefix(2).map { Int($0) ?? 0 }
        return parts.count == 2 ? parts[0] * 100 + parts[1] : 0
    }
}
