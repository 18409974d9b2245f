import Testing

@Suite("The checkpoint tool's verbs on one state write what they always wrote")
struct OneCheckpointTests {
    static let files = [
        GoldenFile(name: "show", arguments: ["show", "3"] + store),
        GoldenFile(name: "show-json", arguments: ["show", "3", "-o", "json"] + store),
        GoldenFile(name: "stats", arguments: ["stats"] + store),
        GoldenFile(name: "get", arguments: ["get", "baskets", "anna"] + store),
        GoldenFile(name: "get-json", arguments: ["get", "baskets", "anna", "-o", "json"] + store),
        GoldenFile(name: "get-windowed", arguments: ["get", "hourly", "anna", "--at", "1"] + store),
        GoldenFile(name: "get-window", arguments: ["get", "hourly", "anna", "--window", "2026-09-01T13:00Z", "-o", "jsonl"] + store),
        GoldenFile(name: "get-hex", arguments: ["get", "baskets", "0x00ff", "-o", "jsonl"] + store),
        GoldenFile(name: "get-missing", arguments: ["get", "baskets", "bob"] + store),
        GoldenFile(name: "get-no-table", arguments: ["get", "bags", "bob"] + store),
        GoldenFile(name: "get-bad-key", arguments: ["get", "baskets", "0x0"] + store),
        GoldenFile(name: "scan", arguments: ["scan", "hourly"] + store),
        GoldenFile(name: "scan-prefix", arguments: ["scan", "hourly", "--prefix", "c", "--at", "1", "-o", "jsonl"] + store),
        GoldenFile(name: "scan-json", arguments: ["scan", "orders.baskets", "--limit", "2", "-o", "json"] + store),
        GoldenFile(name: "windows", arguments: ["windows", "3"] + store),
        GoldenFile(name: "timers", arguments: ["timers"] + store),
        GoldenFile(name: "offsets", arguments: ["offsets"] + store),
        GoldenFile(name: "export-csv", arguments: ["export", "baskets", "--format", "csv", "--at", "1"] + store),
        GoldenFile(name: "export-jsonl", arguments: ["export", "hourly"] + store),
        GoldenFile(
            name: "sql", arguments: ["sql", "latest", "SELECT key, orders, total FROM baskets WHERE isOpen ORDER BY total DESC"] + store),
        GoldenFile(name: "sql-columns", arguments: ["sql", "latest"] + store),
        GoldenFile(
            name: "sql-join",
            arguments: [
                "sql", "1",
                "SELECT b.key, h.window, h.count, i.value AS item FROM baskets AS b JOIN hourly AS h ON h.key = b.key JOIN json_each(b.items) AS i ORDER BY 1, 4",
                "-o", "json",
            ] + store),
        GoldenFile(name: "sql-write", arguments: ["sql", "latest", "DELETE FROM keyed"] + store),
        GoldenFile(name: "sql-attach", arguments: ["sql", "latest", "ATTACH 'elsewhere.db' AS e"] + store),
        GoldenFile(name: "sql-two", arguments: ["sql", "latest", "SELECT 1; SELECT 2"] + store),
        GoldenFile(name: "sql-wrong", arguments: ["sql", "latest", "SELECT missing FROM baskets"] + store),
        GoldenFile(name: "explain", arguments: ["explain", "--lineage", "1", "--batch", "order_totals:1", "--row", "4"] + store),
        GoldenFile(name: "explain-windows", arguments: ["explain", "--batch", "order_totals:2", "--at", "3", "-o", "json"] + store),
        GoldenFile(name: "explain-missing", arguments: ["explain", "--batch", "order_totals:9"] + store),
        GoldenFile(name: "diff", arguments: ["diff", "1", "2"] + store),
        GoldenFile(name: "diff-summary", arguments: ["diff", "1", "latest", "--summary", "-o", "json"] + store),
        GoldenFile(name: "diff-same", arguments: ["diff", "latest", "latest"] + store),
    ]

    static let store = ["--store", "store", "--job", "shop"]

    @Test(arguments: files)
    func aVerbWritesWhatItAlwaysWrote(file: GoldenFile) throws {
        let shop = try ShopHistory.shared.get()
        let found = file.text(of: try CheckpointBinary.run(file.arguments, in: shop.directory.path))
        #expect(GoldenFile.comparable(try file.expected(or: found)) == GoldenFile.comparable(found))
    }
}
