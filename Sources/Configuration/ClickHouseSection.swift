import Engine

/// `clickhouse`: where the job's rows go.
package struct ClickHouseSection: Sendable {
    /// `clickhouse.url`: the HTTP interface's address, without user and password. No default.
    package var url: String
    /// `clickhouse.database`: holds the job's tables; it has to exist.
    package var database = "fintech"
    /// `clickhouse.user`
    package var user = "default"
    /// `clickhouse.password`
    package var password = Secret("")
    /// `clickhouse.createTables`: whether `run` creates the tables that are missing.
    package var createTables = true
    /// `clickhouse.flushInterval`: how long rows are gathered before they become one INSERT a table.
    package var flushInterval: Duration = .seconds(1)
    /// `clickhouse.resolveDelay`: how long the server must have shown nothing of a batch whose end is unknown before
    /// its rows are counted.
    package var resolveDelay: Duration = .seconds(10)
    /// `clickhouse.delivery`: what is demanded of tables.
    package var delivery = Delivery.exactlyOnce
    /// `clickhouse.certificates`, `.clientCertificate` and `.clientKey`.
    package let tls: TLSSection

    package enum Delivery: String, Sendable, CaseIterable {
        /// Tables in which what landed can be counted; others are refused.
        case exactlyOnce = "exactly-once"
        /// Any table; rows may then be there twice after a failure.
        case atLeastOnce = "at-least-once"
    }

    init(_ reader: inout SettingsReader) {
        url = ClickHouseSection.readURL(&reader)
        let name = "a name of letters, digits and underscores that does not begin with a digit"
        database = reader.value("clickhouse.database", default: database, expected: name, ClickHouseSection.identifier)
        user = reader.value("clickhouse.user", default: user, expected: "a user's name") { $0.isEmpty ? nil : $0 }
        password = reader.value("clickhouse.password", default: password, expected: "a password") { Secret($0) }
        createTables = reader.flag("clickhouse.createTables", default: createTables)
        flushInterval = reader.duration("clickhouse.flushInterval", default: flushInterval, from: "10ms", to: "10m")
        resolveDelay = reader.duration("clickhouse.resolveDelay", default: resolveDelay, from: "100ms", to: "10m")
        delivery = reader.choice("clickhouse.delivery", default: delivery)
        tls = TLSSection(&reader, under: "clickhouse")
    }

    private static func readURL(_ reader: inout SettingsReader) -> String {
        let expected = "the address of ClickHouse's HTTP interface, such as http://127.0.0.1:8123"
        guard let setting = reader.setting("clickhouse.url") else {
            reader.reportMissing("clickhouse.url", "is needed and has no default: \(expected)")
            return ""
        }
        return reader.httpURL(setting, expected: expected, instead: "put them under clickhouse.user and clickhouse.password")
    }

    private static func identifier(_ text: String) -> String? {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first), text.utf8.count <= 64 else { return nil }
        let isIdentifier = text.utf8.allSatisfy { PlainName.isByte($0) && $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "-") }
        return isIdentifier ? text : nil
    }
}

/// `sink` and `outbox`: what is kept on the way to ClickHouse.
package struct SinkSection: Sendable {
    /// `sink.ledgerKeep`: how long a delivered batch's origins are kept, so that its rows can be explained.
    package var ledgerKeep: Duration = .seconds(7 * 86_400)
    /// `outbox.limit`: bytes of rows waiting for delivery at which reading stops until some are delivered.
    package var outboxLimit = 48 << 20

    init(_ reader: inout SettingsReader) {
        ledgerKeep = reader.duration("sink.ledgerKeep", default: ledgerKeep, from: "1m", to: "365d")
        outboxLimit = reader.bytes("outbox.limit", default: outboxLimit, from: "1MiB", to: "64GiB")
    }
}
