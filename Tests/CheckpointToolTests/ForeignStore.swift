import ArgumentParser
import CheckpointStores
import Engine
import Foundation
import TestSupport

@testable import checkpoint

/// A store as somebody else handed it over: its newest checkpoint is made of what a test says, with sums that are right.
final class ForeignStore {
    private let shop: ShopHistory
    private let whole: String
    private let output: StandardOutput
    private var parsed: [[String]: any ParsableCommand] = [:]
    /// The newest checkpoint's manifest and files as they were made.
    let manifest: [String: Any]
    let base: Data
    let delta: Data

    /// Verbs that have to do with the newest checkpoint, each as words of the command line.
    static let verbs: [[String]] = [
        ["show", "3"], ["stats", "3"], ["windows", "3"], ["timers", "3"], ["offsets", "3"], ["get", "3", "baskets", "anna"],
        ["scan", "3", "hourly"],
        ["export", "3", "baskets"], ["sql", "3", "SELECT sum(orders), count(*), max(lastAt), total(visits) FROM baskets"],
        ["sql", "3", "SELECT * FROM batch, epoch_offsets, task"],
        ["explain", "--batch", "order_totals:1", "--at", "3"], ["diff", "1", "3"], ["ls"], ["history", "baskets", "anna"], ["verify", "3"],
        ["verify", "--all"],
        ["restore", "3", "--to", "TARGET"], ["rewind", "3", "--sink", "delete", "--yes"], ["copy", "3", "--to", "OTHER"],
        ["tag", "3", "again"],
        ["repartition", "3", "--drained", "--partitions", "4", "--topic", "shop.orders", "--to", "TARGET"],
        ["recover", "3", "--to", "TARGET"],
        ["prune", "--keep-last", "1", "--older-than", "0s", "--yes"], ["gc", "--older-than", "0s", "--yes"],
    ]

    init() throws {
        shop = try ShopHistory(small: ())
        output = try StandardOutput()
        whole = shop.directory.file("whole")
        try FileManager.default.moveItem(atPath: shop.directory.file("store"), toPath: whole)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(whole)/\(ForeignStore.newest)"))
        let document = try JSONSerialization.jsonObject(with: bytes) as? [String: Any] ?? [:]
        manifest = document
        let objects = document["objects"] as? [[String: Any]] ?? []
        (base, delta) = try (ForeignStore.content(objects[0], whole), ForeignStore.content(objects[1], whole))
    }

    private static let newest = "shop/manifests/00000000000000000003.json"

    private static func content(_ object: [String: Any], _ store: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(store)/shop/\(object["key"] ?? "")"))
    }

    private var store: String { shop.directory.file("store") }
    func file(_ name: String) -> String { shop.directory.file(name) }

    /// Begins again with what was handed over: the newest manifest made of `document`, with other files where they are given.
    func handOver(_ document: [String: Any], base: Data? = nil, delta: Data? = nil) throws {
        for path in [store, file("restored"), file("other")] where FileManager.default.fileExists(atPath: path) {
            try FileManager.default.removeItem(atPath: path)
        }
        try FileManager.default.copyItem(atPath: whole, toPath: store)
        var document = document
        var objects = document["objects"] as? [[String: Any]] ?? []
        for (index, (folder, content)) in [("snapshots", base), ("deltas", delta)].enumerated() {
            guard let content, objects.indices.contains(index) else { continue }
            let hash = SHA256.of([UInt8](content)).hex
            objects[index].merge(["key": "\(folder)/\(hash).db", "sha256": hash, "bytes": content.count]) { $1 }
            try content.write(to: URL(fileURLWithPath: "\(store)/shop/\(folder)/\(hash).db"))
            document["objects"] = objects
        }
        try ForeignStore.checked(document).write(to: URL(fileURLWithPath: "\(store)/\(ForeignStore.newest)"))
    }

    /// The same with a manifest of any bytes, whose checksum is made right where it has one.
    func handOver(manifest bytes: [UInt8]) throws {
        try handOver(manifest)
        try Data(ForeignStore.checked(bytes)).write(to: URL(fileURLWithPath: "\(store)/\(ForeignStore.newest)"))
    }

    /// The newest manifest's bytes as they were made.
    func manifestBytes() throws -> [UInt8] { try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(whole)/\(ForeignStore.newest)"))) }

    private static func checked(_ bytes: [UInt8]) -> [UInt8] {
        let opening = Array("\"checksum\":\"".utf8)
        guard let found = bytes.firstRange(of: opening), bytes.count >= found.upperBound + 64 else { return bytes }
        var bytes = bytes
        let digits = found.upperBound..<found.upperBound + 64
        bytes.replaceSubrange(digits, with: [UInt8](repeating: UInt8(ascii: "0"), count: 64))
        bytes.replaceSubrange(digits, with: Array(SHA256.of(bytes).hex.utf8))
        return bytes
    }

    /// The document's bytes with the checksum that it needs.
    static func checked(_ document: [String: Any]) throws -> Data {
        var document = document
        document["checksum"] = String(repeating: "0", count: 64)
        let blank = try JSONSerialization.data(withJSONObject: document, options: [.sortedKeys, .withoutEscapingSlashes]) + [10]
        let text = String(decoding: blank, as: UTF8.self)
        return Data(
            text.replacingOccurrences(
                of: "\"checksum\":\"\(String(repeating: "0", count: 64))\"", with: "\"checksum\":\"\(SHA256.of([UInt8](blank)).hex)\""
            ).utf8)
    }

    /// Runs a verb in this process, as the tool's own process would. `took`: CPU seconds, which others on the machine have no part in.
    func run(_ verb: [String]) throws -> (status: Int32, text: String, took: Double) {
        let words = verb.map { ["TARGET": file("restored"), "OTHER": file("other")][$0] ?? $0 } + ["--store", store, "--job", ShopJob.job]
        let command: any ParsableCommand
        if let known = parsed[verb] {
            command = known
        } else {
            command = try Checkpoint.parseAsRoot(words)
            parsed[verb] = command
        }
        let start = threadSeconds()
        let ending = Checkpoint.ending { command }
        let took = threadSeconds() - start
        output.discard()
        for path in [file("restored"), file("other")] where FileManager.default.fileExists(atPath: path) {
            try FileManager.default.removeItem(atPath: path)
        }
        return switch ending {
        case .quiet: (ending.status, "", took)
        case .failure(let failure): (ending.status, "\(failure.kind): \(failure)", took)
        case .unrun(let error): (ending.status, "\(error)", took)
        }
    }

    /// Runs every verb on what was handed over; what of their endings must not be.
    func faults(_ what: String, expecting name: String? = nil, verbs: [[String]] = ForeignStore.verbs) throws -> [String] {
        var faults: [String] = []
        for verb in verbs {
            let (status, text, took) = try run(verb)
            if ![0, 2, 3, 4, 5, 10].contains(status), !text.hasPrefix("invalid") {
                faults.append("\(what), \(verb): \(status) \(text.prefix(400))")
            }
            if text.hasPrefix("bug") { faults.append("\(what), \(verb): a bug, \(text.prefix(400))") }
            if took > 5 { faults.append("\(what), \(verb): took \(took) CPU seconds") }
            if status == 4, !text.contains("shop") && !text.contains(".db") && !text.isEmpty {
                faults.append("\(what), \(verb): names no object, \(text.prefix(400))")
            }
        }
        return faults
    }
}
