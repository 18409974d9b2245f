import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import checkpoint

@Suite("Every verb that reads a checkpoint is told which one in the same way: first among its arguments, or after --at")
struct ReferenceTests {
    /// What a verb needs beside the checkpoint. Each verb that reads one has an entry.
    struct Needs {
        var operands: [String] = []
        var options: [String] = []
    }

    static let needs: [String: Needs] = [
        "show": Needs(), "stats": Needs(), "windows": Needs(), "timers": Needs(), "offsets": Needs(), "verify": Needs(),
        "get": Needs(operands: ["hourly", "anna"]), "scan": Needs(operands: ["hourly"]), "export": Needs(operands: ["hourly"]),
        "sql": Needs(operands: ["SELECT key, total FROM hourly"]), "diff": Needs(operands: ["4"], options: ["--summary"]),
        "explain": Needs(options: ["--batch", "order_totals:1"]), "tag": Needs(operands: ["held"]),
        "restore": Needs(options: ["--to", "made"]), "copy": Needs(options: ["--to", "made"]),
        "recover": Needs(options: ["--to", "made.db"]),
        "rewind": Needs(options: ["--sink", "delete", "--dry-run"]),
        "repartition": Needs(options: ["--drained", "--partitions", "4", "--to", "made", "--record-key", #"{"who":"{}"}"#]),
        "compat": Needs(options: ["--binary", "./new-version", "--job-config", "job.yaml"]), "reconcile": Needs(options: ["--clickhouse"]),
    ]

    /// Verbs about a store, or about more checkpoints than one.
    static let others: Set = ["ls", "history", "watch", "untag", "prune", "gc"]

    static let verbs = Checkpoint.configuration.subcommands

    @Test func everyVerbReadsACheckpointByTheRuleOrIsKnownToReadNone() {
        for verb in ReferenceTests.verbs {
            let name = verb._commandName
            #expect((verb is any CheckpointVerb.Type) != ReferenceTests.others.contains(name), "\(name)")
            #expect((verb is any CheckpointVerb.Type) == (ReferenceTests.needs[name] != nil), "\(name)")
        }
    }

    private static func arguments(_ name: String, _ words: [String], _ server: ScriptedHTTPServer) -> [String] {
        let options = needs[name]!.options + (name == "reconcile" ? ["http://127.0.0.1:\(server.port)"] : [])
        return [name] + words + options + StoreTests.store
    }

    /// A server that has no rows.
    private func server() throws -> ScriptedHTTPServer {
        try ScriptedHTTPServer { _ in .bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
    }

    @Test(arguments: needs.keys.sorted())
    func theArgumentAndTheOptionSayTheSame(name: String) throws {
        let server = try server()
        let operands = ReferenceTests.needs[name]!.operands
        var runs: [ToolRun] = []
        for words in [["1"] + operands, ["--at", "1"] + operands, operands + ["--at", "1"]] {
            let shop = try ShopHistory()
            try NewVersion.write(to: shop.directory.file("new-version"))
            runs.append(try CheckpointBinary.run(ReferenceTests.arguments(name, words, server), in: shop.directory.path))
        }
        #expect(runs[0].status != 64 && !(runs[0].output + runs[0].errors).isEmpty, "\(runs[0])")
        for run in runs.dropFirst() {
            // Files of two stores differ in bytes that hold nothing, and so in their sums.
            let isSameOutput = GoldenFile.normalised(run.output) == GoldenFile.normalised(runs[0].output)
            #expect(run.status == runs[0].status && isSameOutput && run.errors == runs[0].errors, "\(runs[0]), then \(run)")
        }
    }

    @Test(arguments: needs.keys.sorted())
    func bothAtOnceAreAnErrorAndNoneIsTheNewestOrAnError(name: String) throws {
        let server = try server()
        let operands = ReferenceTests.needs[name]!.operands
        func parsed(_ words: [String]) throws -> any CheckpointVerb {
            try #require(try Checkpoint.parseAsRoot(ReferenceTests.arguments(name, words, server)) as? any CheckpointVerb)
        }
        let usage = #expect(throws: (any Error).self) { try parsed(["1"] + operands + ["--at", "2"]) }
        #expect(usage.map { Checkpoint.exitCode(for: $0).rawValue == 64 && Checkpoint.message(for: $0).contains("beside --at") } == true)
        for reference in ["latest~1", "./state/state.db", "tag:before-five"] {
            let (first, option) = (try parsed([reference] + operands), try parsed(["--at", reference] + operands))
            #expect(first.reference == reference && option.reference == reference)
            for place in operands.indices { #expect(first.operand(place) == operands[place] && option.operand(place) == operands[place]) }
        }
        let verb = try #require(ReferenceTests.verbs.first { $0._commandName == name } as? any CheckpointVerb.Type)
        if verb.defaultReference == nil {
            // A query that may be left out is taken for the checkpoint, as ever, and is none.
            if name != "sql" { #expect(throws: (any Error).self) { try parsed(operands) } }
        } else {
            #expect(try parsed(operands).reference == "latest")
        }
    }

    @Test func whatNeedsAStoreRefusesAPathAndSaysWhatItTakes() throws {
        let shop = try ShopHistory.shared.get()
        for arguments in [
            ["tag", "./state", "held"], ["copy", "./state", "--to", "made"], ["rewind", "./state", "--sink", "delete", "--dry-run"],
        ] {
            let run = try CheckpointBinary.run(arguments + StoreTests.store, in: shop.directory.path)
            #expect(
                run.status == 1 && run.errors.contains("./state is the path of a state, and this verb needs a checkpoint of a store"),
                "\(run)")
        }
    }

    @Test func restoreMakesAStateDirectoryOfAPathToo() throws {
        let shop = try ShopHistory()
        let run = try CheckpointBinary.run(["restore", "--at", "./state", "--to", "made"], in: shop.directory.path)
        #expect(run.status == 0 && run.output.hasPrefix("checkpoint  ./state\n"), "\(run)")
        #expect(try CheckpointBinary.run(["diff", "./made", "./state"], in: shop.directory.path).status == 0)
    }
}
