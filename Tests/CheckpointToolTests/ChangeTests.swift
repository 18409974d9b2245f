import Foundation
import TestSupport
import Testing

@Suite("Verbs that change something write what they always wrote")
struct ChangeTests {
    static let files = [
        GoldenFile(name: "restore", arguments: ["restore", "3", "--to", "restored"] + StoreTests.store),
        GoldenFile(name: "restore-taken", arguments: ["restore", "3", "--to", "state"] + StoreTests.store),
        GoldenFile(
            name: "rewind", arguments: ["rewind", "tag:before-five", "--sink", "delete", "--to", "back", "--yes"] + StoreTests.store),
        GoldenFile(name: "copy", arguments: ["copy", "latest", "--to", "other"] + StoreTests.store),
        GoldenFile(name: "tag", arguments: ["tag", "latest", "before-upgrade"] + StoreTests.store),
        GoldenFile(name: "tag-taken", arguments: ["tag", "latest", "before-five"] + StoreTests.store),
        GoldenFile(name: "untag", arguments: ["untag", "before-five", "--yes", "-o", "json"] + StoreTests.store),
        GoldenFile(name: "prune", arguments: ["prune", "--keep-last", "1", "--older-than", "0s", "--yes"] + StoreTests.store),
        GoldenFile(name: "gc", arguments: ["gc", "--older-than", "0s", "--yes"] + StoreTests.store),
        GoldenFile(name: "export-sqlite", arguments: ["export", "hourly", "--format", "sqlite", "--to", "hourly.db"] + StoreTests.store),
        GoldenFile(name: "recover", arguments: ["recover", "3", "--to", "recovered.db"] + StoreTests.store),
        GoldenFile(
            name: "compat", arguments: ["compat", "latest", "--binary", "./new-version", "--job-config", "job.yaml"] + StoreTests.store),
    ]

    @Test(arguments: files)
    func aVerbWritesWhatItAlwaysWrote(file: GoldenFile) throws {
        let shop = try ShopHistory()
        try NewVersion.write(to: shop.directory.file("new-version"))
        // What an interrupted upload leaves.
        try Data("left".utf8).write(
            to: URL(fileURLWithPath: shop.directory.file("store/shop/deltas/\(String(repeating: "0", count: 64)).db")))
        let found = file.text(of: try CheckpointBinary.run(file.arguments, in: shop.directory.path))
        #expect(GoldenFile.comparable(try file.expected(or: found)) == GoldenFile.comparable(found))
    }

    @Test func aCheckpointsRowsAreComparedWithClickHouses() throws {
        let shop = try ShopHistory.shared.get()
        // A server that has lost two rows of the second batch, and has a third that came later.
        let server = try ScriptedHTTPServer { request in
            let sql = String(decoding: request.body, as: UTF8.self)
            let body =
                if sql.contains("daily_totals") {
                    sql.contains("system.tables") ? "daily_totals\n" : ""
                } else {
                    sql.contains("system.tables") ? "order_totals\n" : "1\t1\t5\n1\t2\t2\n1\t3\t7\n"
                }
            return .bytes("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        let file = GoldenFile(
            name: "reconcile", arguments: ["reconcile", "--clickhouse", "http://127.0.0.1:\(server.port)"] + StoreTests.store)
        let found = file.text(of: try CheckpointBinary.run(file.arguments, in: shop.directory.path))
        #expect(GoldenFile.comparable(try file.expected(or: found)) == GoldenFile.comparable(found))
    }
}

/// A program that answers as a new version of the shop job would.
enum NewVersion {
    static func write(to path: String) throws {
        let answer =
            #"{"schema":"tidemark.schemas/1","job":"shop","version":4,"tables":[],"start":{"refusal":null,"leastReader":3,"tables":[{"stage":"orders","table":"baskets","action":"migrate","detail":"from version 2 to 3"},{"stage":"orders","table":"hourly","action":"keep","detail":"version 1"},{"stage":"totals","table":"days","action":"refuse","detail":"its windows were 86400000 ms long, this job's are 3600000 ms: choose another name"}]},"clickHouse":{"problem":null,"tables":[{"table":"daily_totals","standing":"fits","details":[]},{"table":"order_totals","standing":"alter","details":["the column refunds is missing; add it: ALTER TABLE `shop`.`order_totals` ADD COLUMN `refunds` UInt64 DEFAULT 0"]}]}}"#
        try "#!/bin/sh\ncat <<'JSON'\n\(answer)\nJSON\n".write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }
}
