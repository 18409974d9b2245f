import Engine
import Foundation
import Simulation
import TestSupport
import Testing
import Worker

@Suite("Promise 7: a start that finds a disk full waits, says so, and goes on by itself once there is room")
struct FullStartTests {
    private let archive = MemoryArchive()

    private func settings(_ durability: Durability = .local) -> CheckpointSettings {
        var settings = CheckpointSettings(archive: archive)
        settings.durability = durability
        settings.interval = .seconds(3600)
        return settings
    }

    /// Fills the disk after 0, 1, 2 … operations of a start, until a start needs no more: opening, registering partitions, and
    /// copying the first checkpoint.
    @Test func whereverAStartFindsTheDiskFullItGoesOnWhenThereIsRoom() throws {
        var (operations, waited) = (0, 0)
        while true {
            let bench = try Bench(.everything, partitions: 2)
            let values = [Bench.purchases(0, seconds: 0..<20), Bench.purchases(1, seconds: 0..<20)]
            bench.append(values)
            let disk = try FaultyDisk(bench.directory.path)
            let archive = MemoryArchive()
            var settings = CheckpointSettings(archive: archive)
            settings.interval = .seconds(3600)
            let running = try bench.start(untilEnd: true, checkpoints: settings) { store in
                disk.fill(after: operations)
                return store
            }
            try waitUntil("it waits or is at work") { running.status.phase != .starting || running.status.problem != nil }
            let isWaiting = running.status.phase == .starting
            if isWaiting {
                #expect(running.status.problem?.contains("no space left") == true)
                waited += 1
            }
            disk.mend()
            #expect(try running.wait() == .complete)
            #expect(running.status.problem == nil && archive.published.first?.content == .base)
            bench.expectRows(values)
            if !isWaiting { break }
            operations += waited < 12 ? 1 : 5
        }
        #expect(waited > 12, "\(operations)")
    }

    @Test func aMigrationIsDoneOnceThereIsRoomAndThenWhole() throws {
        let run = try VisitRun(values: VisitRun.visits(300))
        try run.drained(1, through: 200, archiving: true)
        let disk = try FaultyDisk(run.stateDirectory)
        disk.fill()
        let running = try run.worker(2, untilEnd: true, archiving: true)
        try waitUntil("it waits") { running.status.problem?.contains("no space left") == true }
        #expect(running.status.phase == .starting && run.source.readCount == 200)
        disk.mend()
        run.appendAll()
        #expect(try running.wait() == .complete)
        var model = VersionedModel()
        for value in run.values.prefix(200) { model.read(value) }
        model.start(2)
        for value in run.values.dropFirst(200) { model.read(value) }
        model.end()
        #expect(run.sink.rows.map(\.text).sorted() == model.lines.sorted())
    }

    @Test func aStartThatWaitsEndsWhenItIsTold() throws {
        let bench = try Bench(.everything, partitions: 1)
        let disk = try FaultyDisk(bench.directory.path)
        let running = try bench.start(untilEnd: false) { store in
            disk.fill()
            return store
        }
        try waitUntil("it waits") { running.status.problem != nil }
        running.drain()
        let failure = try running.waitForFailure()
        #expect(failure.kind == .retry && failure.message.contains("was told to end while it waited for room"))
        disk.mend()
        try bench.runToEnd()
    }

    @Test func theStoresFullDiskHoldsUpOnlyAStartThatCannotBeginWithoutItsAnswer() throws {
        let bench = try Bench(.everything, partitions: 1)
        let values = Bench.purchases(0, seconds: 0..<40)
        bench.append([values])
        let first = try bench.start(untilEnd: false, checkpoints: settings())
        try waitUntil("all is read") { bench.source.readCount == values.count }
        first.drain()
        #expect(try first.wait() == .complete)
        archive.setFull("/elsewhere/manifests/7.json")
        let local = try bench.start(untilEnd: false, checkpoints: settings())
        try waitUntil("it goes on without") { local.status.phase == .running }
        local.drain()
        #expect(try local.wait() == .complete)

        for (durability, path) in [(Durability.shared, "/elsewhere/manifests/7.json"), (.local, bench.directory.file("writers"))] {
            archive.setFull(path)
            let waiting = try bench.start(untilEnd: false, checkpoints: settings(durability))
            try waitUntil("it waits") { waiting.status.problem?.contains("the archive's disk is full") == true }
            #expect(waiting.status.phase == .starting)
            archive.setFull(nil)
            try waitUntil("it goes on") { waiting.status.phase == .running }
            waiting.drain()
            #expect(try waiting.wait() == .complete)
        }
        try bench.runToEnd()
        bench.expectRows([values])
    }
}
