import CommandLineParts
import Foundation
import TestSupport
import Testing

@Suite("Temporary directories of processes that were killed are removed by the next; nobody else's are")
struct ScratchTests {
    @Test func theNextRemovesWhatAKilledProcessLeft() async throws {
        let directory = try TemporaryDirectory("tidemark-scratch")
        let path = directory.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let scratch = try Scratch.make(below: path)
            try Data("state".utf8).write(to: URL(fileURLWithPath: scratch + "/state.db"))
            kill(getpid(), SIGKILL)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: path)
        #expect(left.count == 1)
        // Somebody else's, and what only has such a name.
        try Data().write(to: URL(fileURLWithPath: directory.file("tidemark-scratch.file")))
        try FileManager.default.createSymbolicLink(atPath: directory.file("tidemark-scratch.link"), withDestinationPath: "/")
        try FileManager.default.createDirectory(atPath: directory.file("other"), withIntermediateDirectories: false)
        let first = try Scratch.make(below: path)
        let second = try Scratch.make(below: path)
        let found = Set(try FileManager.default.contentsOfDirectory(atPath: path))
        #expect(found.isDisjoint(with: left))
        let own = Set([first, second].map { URL(fileURLWithPath: $0).lastPathComponent })
        #expect(found == own.union(["tidemark-scratch.file", "tidemark-scratch.link", "other"]))
        for name in own {
            #expect(try FileManager.default.attributesOfItem(atPath: directory.file(name))[.posixPermissions] as? Int == 0o700)
        }
    }

    @Test func whatIsRemovedHoldsNoDescriptor() throws {
        let directory = try TemporaryDirectory("tidemark-scratch")
        func held() throws -> Int {
            let all = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            return all.count {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.hasPrefix(directory.path) == true
            }
        }
        for _ in 0..<3 {
            _ = try Scratch.make(below: directory.path)
            let renamed = try Scratch.make(below: directory.path)
            try FileManager.default.moveItem(atPath: renamed, toPath: directory.file("published"))
            #expect(try held() == 2)
            Scratch.removeAll()
            #expect(try held() == 0 && FileManager.default.contentsOfDirectory(atPath: directory.path) == ["published"])
            try FileManager.default.removeItem(atPath: directory.file("published"))
        }
    }

    /// What the tool makes is its user's alone, whatever the umask is.
    @Test func whatTheToolMakesIsItsUsersAlone() throws {
        let shop = try ShopHistory()
        for arguments in [
            ["restore", "latest", "--to", "restored"], ["recover", "3", "--to", "recovered.db"],
            ["export", "latest", "baskets", "--to", "baskets.jsonl"],
            ["export", "latest", "baskets", "--format", "sqlite", "--to", "baskets.db"],
        ] {
            let run = try CheckpointBinary.run(arguments + StoreTests.store, in: shop.directory.path)
            #expect(run.status == 0, "\(run.errors)")
        }
        func mode(_ name: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: shop.directory.file(name))[.posixPermissions] as? Int
        }
        #expect(try mode("restored") == 0o700)
        for name in ["restored/state.db", "recovered.db", "baskets.jsonl", "baskets.db"] { #expect(try mode(name) == 0o600, "\(name)") }
    }

    @Test(arguments: [
        "s3://user:hunter2@bucket/prefix", "s3://hunter2@bucket", "s3://user:hun/ter2@bucket", "http://user:hunter2@host/bucket",
        "ftp://hunter2@host",
    ])
    func aSecretInALocationIsRefusedAndNotRepeated(location: String) throws {
        let directory = try TemporaryDirectory("tidemark-location")
        for arguments in [["ls", "--store", location, "--job", "shop"], ["copy", "latest", "--to", location] + StoreTests.store] {
            let run = try CheckpointBinary.run(arguments, in: directory.path)
            #expect(run.status != 0)
            #expect(!(run.output + run.errors).contains("hunter2") && !(run.output + run.errors).contains("ter2"), "\(run.errors)")
        }
        try Data("job: {id: shop}\ncheckpoints: {store: \"\(location)\"}\n".utf8).write(
            to: URL(fileURLWithPath: directory.file("shop.yaml")))
        let run = try CheckpointBinary.run(["ls", "--config", "shop.yaml"], in: directory.path)
        #expect(run.status != 0)
        #expect(!(run.output + run.errors).contains("ter2"), "\(run.errors)")
    }
}
