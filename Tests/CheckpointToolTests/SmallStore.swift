import ArgumentParser
import Foundation
import TestSupport

@testable import checkpoint

/// A small store whose objects are damaged and made whole again, and what the tool says of it.
final class SmallStore {
    /// An object, and commands that read it: each must refuse it when it is damaged, or, where it does not matter, must not
    /// be led astray.
    struct Object: CustomStringConvertible {
        /// Below the store, such as `shop/collected.json`.
        let key: String
        let commands: [[String]]
        var matters = true

        var description: String { key }
    }

    private let shop: ShopHistory
    /// Commands that were parsed before: that takes longer than to run them.
    private var parsed: [[String]: any ParsableCommand] = [:]
    let objects: [Object]

    init() throws {
        shop = try ShopHistory(small: ())
        let root = shop.directory.file("store")
        let keys = try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0.contains(".") && !$0.hasPrefix(".") }.sorted()
        objects = try keys.map { try SmallStore.object($0) }
    }

    /// Checkpoint 1 is tagged, 2 was collected, 3 is the newest.
    private static func object(_ key: String) throws -> Object {
        let parts = key.split(separator: "/").map(String.init)
        return switch (parts[1], parts.count == 3 ? parts[2].prefix { $0 != "." }.suffix(1) : "") {
        case ("snapshots", _): Object(key: key, commands: [["verify"], ["restore", "latest"]])
        case ("deltas", _): Object(key: key, commands: [["verify", "3"], ["restore", "3"]])
        case ("manifests", "1"): Object(key: key, commands: [["verify", "--all"], ["restore", "1"]])
        case ("manifests", "2"): Object(key: key, commands: [["verify"], ["restore", "2"]])
        case ("manifests", "3"): Object(key: key, commands: [["verify"], ["restore", "latest"]])
        case ("tags", _): Object(key: key, commands: [["verify", "tag:first"], ["restore", "tag:first"]])
        case ("collected.json", _): Object(key: key, commands: [["verify", "--all"], ["restore", "latest"]], matters: false)
        default: throw WaitedTooLong(description: "nobody said who reads \(key)")
        }
    }

    /// The whole command in words of the command line.
    private func arguments(_ command: [String]) -> [String] {
        command + (command[0] == "restore" ? ["--to", target] : []) + ["--store", shop.directory.file("store"), "--job", ShopJob.job]
    }

    private var target: String { shop.directory.file("restored") }
    func path(_ object: Object) -> String { shop.directory.file("store/\(object.key)") }

    /// Runs a command in this process, as the tool's own process would: the exit code and what it says.
    func run(_ command: [String], writingTo output: StandardOutput) throws -> (status: Int32, text: String) {
        let known = try known(command)
        let ending = Checkpoint.ending { known }
        var text = try output.take()
        if case .failure(let failure) = ending { text += failure.message }
        return (ending.status, text)
    }

    private func known(_ command: [String]) throws -> any ParsableCommand {
        if let known = parsed[command] { return known }
        let new = try Checkpoint.parseAsRoot(arguments(command))
        parsed[command] = new
        return new
    }

    /// Runs a command in a process of its own.
    func runProcess(_ command: [String]) throws -> (status: Int32, text: String) {
        let run = try CheckpointBinary.run(arguments(command), in: shop.directory.path)
        return (run.status, run.output + run.errors)
    }

    /// What is beside the store and the state that it is made of; nothing, unless a restore left something.
    func leftovers() throws -> [String] {
        let known: Set = ["store", "state", "base.db", "delta-2.db"]
        return try FileManager.default.contentsOfDirectory(atPath: shop.directory.path).filter { !known.contains($0) }.sorted()
    }

    func removeRestored() throws { try FileManager.default.removeItem(atPath: target) }
}
