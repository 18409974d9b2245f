import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("State, references and exports are their owner's alone, whoever made them", .serialized)
struct PrivateFileTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    private func modes(below path: String) throws -> [String: Int] {
        var modes: [String: Int] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) { modes[name] = try mode("\(path)/\(name)") }
        return modes
    }

    /// In a process of its own, as the umask is the process's.
    @Test(arguments: [0, 0o277] as [UInt32])
    func whateverTheUmaskIs(mask: UInt32) async throws {
        let state = directory.file("state")
        await #expect(processExitsWith: .success) { [state = state as String, mask = mask as UInt32] in
            umask(mask)
            let store = try SQLiteStateStore(directory: state)
            _ = try store.open(PlainJob.topology())
            try store.commit(PlainJob.cut(1))
            try store.keepChanges(after: Epoch(1))
            try store.beginBase(at: state + "/exports/base.db")
            while try store.stepBase() == nil {}
            try store.commit(PlainJob.cut(2))
            _ = try store.writeDelta(after: Epoch(1), at: state + "/exports/delta.db")
            _ = try ReferenceFile(directory: state)
            try StateAssembly.assemble(base: state + "/exports/base.db", deltas: [], into: state + "/exports/assembled.db")
            withExtendedLifetime(store) {}
            // Not by exit handlers, which would move the log away.
            _exit(0)
        }
        #expect(try mode(state) == 0o700)
        let modes = try modes(below: state)
        #expect(modes.keys.contains("state.db-wal") && modes.keys.contains("exports/delta.db") && modes.keys.contains("references.db"))
        for (name, mode) in modes { #expect(mode == (name == "exports" ? 0o700 : 0o600), "\(name): \(String(mode, radix: 8))") }
    }

    /// A file is not left executable either, and a directory keeps its group's mark.
    @Test(arguments: [[("", 0o775), ("/state.db", 0o664), ("/lock", 0o644)], [("", 0o2777), ("/state.db", 0o777), ("/lock", 0o700)]])
    func whatWasLeftForOthersToReadIsTakenFromThem(modes: [(String, Int)]) throws {
        let state = directory.file("state")
        do {
            let store = try SQLiteStateStore(directory: state)
            _ = try store.open(PlainJob.topology())
        }
        for (name, mode) in modes { #expect(chmod(state + name, mode_t(mode)) == 0) }
        try Data().write(to: URL(fileURLWithPath: state + "/writers"))
        chmod(state + "/writers", 0o666)
        _ = try reopened(state)
        #expect(try mode(state) & 0o777 == 0o700)
        for name in ["state.db", "lock", "writers"] { #expect(try mode("\(state)/\(name)") == 0o600, "\(name)") }
    }
}
