import ArgumentParser
import CheckpointStores
import Engine
import Foundation
import SQLiteState
import Simulation

/// `benchmark many-keys`
struct ManyKeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "many-keys",
        abstract: "Makes a store with two checkpoints of many keys for the checkpoint tool, and measures opening and looking up.",
        discussion: "The second checkpoint is a delta: one key in a hundred changed. tools/measure-checkpoints runs the tool on them."
    )

    @Argument(help: "A directory that does not exist yet.")
    var directory: String

    @Option(help: "How many keys.")
    var keys = 1_000_000

    func run() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let history = try ManyKeys(directory: directory, keys: keys)
        try history.write()
        let state = directory + "/assembled.db"
        try history.assemble(into: state)
        let clock = ContinuousClock()
        let start = clock.now
        let reader = try StateReader(path: state)
        let table = try reader.table(named: "totals")
        let opened = clock.now - start
        var slowest = Duration.zero
        let lookups = 200
        let began = clock.now
        for index in 0..<lookups {
            let before = clock.now
            // Every other key is not there.
            let key = ManyKeys.key(index * (keys / lookups)) + (index.isMultiple(of: 2) ? "" : "-none")
            guard try reader.lookup(Array(key.utf8), in: table).count == (index.isMultiple(of: 2) ? 1 : 0) else {
                throw ValidationError("key \(key) was not found as it should be")
            }
            slowest = max(slowest, clock.now - before)
        }
        print("open \(opened), get \((clock.now - began) / lookups) mean, \(slowest) at most, of \(lookups) keys of which half are there")
    }
}
