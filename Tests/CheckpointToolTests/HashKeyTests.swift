import Foundation
import Testing

@Suite("The checkpoint tool handles a job's hash key and prints it nowhere")
struct HashKeyTests {
    @Test func noVerbPrintsIt() throws {
        let shop = try ShopHistory()
        let names = ["TARGET", "OTHER"]
        for (number, verb) in (ForeignStore.verbs + [["sql", "3", "SELECT * FROM meta"], ["sql", "3", "SELECT * FROM main.meta"]])
            .enumerated()
        {
            let arguments = verb.map { names.contains($0) ? "\($0)-\(number)" : $0 } + StoreTests.store
            for form in ["show", "ls", "sql"].contains(verb[0]) ? [[], ["-o", "json"]] : [[]] {
                let run = try CheckpointBinary.run(arguments + form, in: shop.directory.path)
                #expect(!(run.output + run.errors).contains(ShopHistory.hashKey), "\(verb)")
            }
        }
        let meta = try CheckpointBinary.run(
            ["sql", "latest", "SELECT value FROM meta WHERE name = 'hash_key'", "-o", "jsonl"] + StoreTests.store, in: shop.directory.path)
        #expect(meta.status == 0 && meta.output.contains("(secret)"), "\(meta.errors)")
        let main = try CheckpointBinary.run(["sql", "latest", "SELECT * FROM main.meta"] + StoreTests.store, in: shop.directory.path)
        #expect(main.status == 1 && main.errors.contains("main.meta holds a secret"), "\(main.errors)")
    }

    @Test func aManifestWithAnotherKeyThanItsFilesIsDamage() throws {
        let store = try ForeignStore()
        #expect(store.manifest["hashKey"] as? String == ShopHistory.hashKey)
        for (key, status) in [(ShopHistory.hashKey, 0), (String(ShopHistory.hashKey.reversed()), 4), ("secret", 4)] as [(String, Int32)] {
            try store.handOver(store.manifest.merging(["hashKey": key]) { $1 })
            for verb in [["restore", "3", "--to", "TARGET"], ["rewind", "3", "--sink", "delete", "--yes"]] {
                let (found, text, _) = try store.run(verb)
                #expect(found == status && !text.contains(key), "\(verb) with \(status): \(found) \(text)")
            }
        }
        try store.handOver(store.manifest.filter { $0.key != "hashKey" })
        #expect(try store.run(["restore", "3", "--to", "TARGET"]).status == 0, "as an earlier build wrote it")
    }
}
