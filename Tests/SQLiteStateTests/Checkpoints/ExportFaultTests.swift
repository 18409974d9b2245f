import Engine
import Foundation
import TestSupport
import Testing

@testable import SQLiteState

@Suite("Promise 7: a disk that is full or fails while a checkpoint's file is written costs the checkpoint, never the job")
struct ExportFaultTests {
    private let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    private enum Kind: CaseIterable { case base, delta }

    /// A checkpoint's file with an epoch after each step; nil when there was no space for it.
    private func export(_ kind: Kind, _ store: SQLiteStateStore, _ history: inout RandomHistory) throws -> String? {
        let path = store.exportDirectory + "/file"
        do {
            switch kind {
            case .base: try store.beginBase(at: path)
            case .delta: try #require(try store.beginDelta(after: Epoch(0), at: path))
            }
            var steps = 0
            while true {
                let facts =
                    switch kind {
                    case .base: try store.stepBase(for: .zero, pages: 16)
                    case .delta: try store.stepDelta(for: steps < 3 ? .microseconds(1) : .seconds(1))
                    }
                if facts != nil { return path }
                steps += 1
                try store.commit(history.cut(changes: 60, recordBytes: 900))
                _ = try store.maintain()
            }
        } catch let error as StateError where error.kind == .retry {
            return nil
        }
    }

    @Test func withoutSpaceForTheFileTheJobGoesOn() throws {
        var history = RandomHistory(seed: 1)
        var settings = SQLiteStateStore.Settings()
        settings.compactionBytes = 20_000
        let store = try SQLiteStateStore(directory: directory.path, settings: settings)
        let disk = try FaultyDisk(store.exportDirectory)
        _ = try store.open(PlainJob.topology())
        try store.keepChanges(after: Epoch(0))
        for _ in 0..<60 { try store.commit(history.cut(changes: 60, recordBytes: 900)) }
        var refused: [Kind] = []
        for operations in [0, 1, 5, 30, 100] {
            for kind in Kind.allCases {
                disk.fill(after: operations)
                guard try export(kind, store, &history) == nil else { continue }
                refused.append(kind)
                #expect(try FileManager.default.contentsOfDirectory(atPath: store.exportDirectory).isEmpty)
                disk.mend()
                try store.commit(history.cut())
                let path = try #require(try export(kind, store, &history), "with space there is one again")
                try FileManager.default.removeItem(atPath: path)
            }
        }
        #expect(Kind.allCases.allSatisfy(refused.contains) && refused.count > 3)
    }

    /// Lets the disk die at operation 0, 1, 2 … of checkpoints that epochs go on beside.
    @Test func whereverTheProcessDiesTheStateIsWhole() throws {
        var operations = 0
        var died = 0
        while true {
            let directory = try TemporaryDirectory()
            var history = RandomHistory(seed: 2)
            var committed = UInt64(0)
            var isWhole = false
            let contents = try run(in: directory, dyingAfter: operations, &history, &committed, &isWhole)
            if isWhole { break }
            died += 1
            let found = try StateContents(ofDirectory: directory.path)
            #expect(found.epoch.number == committed || found.epoch.number == committed + 1)
            if found.epoch.number == committed { #expect(contents == nil || found == contents) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("exports")).isEmpty)
            operations += 1 + operations / 10
        }
        #expect(died > 25)
    }

    /// What the store held after the last commit that was acknowledged.
    private func run(
        in directory: TemporaryDirectory, dyingAfter operations: Int, _ history: inout RandomHistory, _ committed: inout UInt64,
        _ isWhole: inout Bool
    ) throws -> StateContents? {
        let disk = try FaultyDisk(directory.path)
        var settings = SQLiteStateStore.Settings()
        (settings.compactionBytes, settings.logPages) = (10_000, 20)
        var contents: StateContents?
        do {
            let store = try SQLiteStateStore(directory: directory.path, settings: settings)
            _ = try store.open(PlainJob.topology())
            try store.keepChanges(after: Epoch(0))
            disk.die(after: operations)
            for number in 0..<12 {
                try store.commit(history.cut())
                committed = history.epoch
                contents = try? StateContents(of: store)
                if number == 3 { try store.beginBase(at: store.exportDirectory + "/base") }
                if number == 4 { _ = try store.beginDelta(after: Epoch(0), at: store.exportDirectory + "/delta") }
                if number > 3 && number < 8 { _ = try store.stepBase(for: .zero, pages: 1) }
                if number > 4 && number < 7 { _ = try store.stepDelta(for: .zero) }
                _ = try store.maintain()
            }
            isWhole = true
        } catch is StateError {
            return contents
        }
        return contents
    }
}
