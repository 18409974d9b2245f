import Foundation
import Simulation
import TestSupport
import Testing

/// A job whose workers, of one version or another, take it over from each other at moments that a seed draws.
struct HandedOverJob {
    private enum Way: CaseIterable {
        /// The next worker waits for the end of the one before, or is started after it.
        case drainWhileNextWaits, killWhileNextWaits, drainAndStart, killAndStart

        var nextWaits: Bool { self == .drainWhileNextWaits || self == .killWhileNextWaits }
        var kills: Bool { self == .killWhileNextWaits || self == .killAndStart }
    }

    private struct Step {
        let way: Way
        let killsClickHouse: Bool
        let changesVersion: Bool
    }

    private let job: JobFixture
    private let clickHouse: ClickHouseServer
    /// Their binaries.
    private let versions: [String]
    private var random: SeededRandom
    private var isClickHouseUp = true

    private(set) var handOvers = 0
    /// Drains that ended with rows left.
    private(set) var drainsWithRest = 0
    private(set) var clickHouseKills = 0
    /// Starts that found ClickHouse away and said so.
    private(set) var refusals = 0

    init(_ job: JobFixture, _ clickHouse: ClickHouseServer, versions: [String], seed: UInt64) {
        self.job = job
        self.clickHouse = clickHouse
        self.versions = versions
        random = SeededRandom(seed: seed)
    }

    private var version = 0
    private var worker: ChildProcess?

    var summary: String {
        "\(handOvers) hand-overs, \(drainsWithRest) drains left rows, ClickHouse was killed \(clickHouseKills) times, \(refusals) starts were refused because it was away"
    }

    mutating func handOver(times: Int) throws {
        try begin(version)
        // The version that begins a job is the oldest that can go on from it, so this one has to have begun it.
        try waitUntilItReads()
        // Each way with and without ClickHouse, to the other version and to the same one; only the order is drawn.
        let plan = (0..<times).map {
            Step(way: Way.allCases[$0 % Way.allCases.count], killsClickHouse: $0 % 3 == 0, changesVersion: $0 % 5 != 0)
        }
        for step in plan.shuffled(using: &random) { try handOver(step) }
    }

    /// Reads what there is to its end; the version that did.
    mutating func finish() throws -> Int {
        try startClickHouse()
        try end(by: .drainAndStart)
        version = Int.random(in: versions.indices, using: &random)
        let finished = try job.run("run", ["--until-end"], of: versions[version])
        #expect(finished.status == 0, "\(finished.errors)")
        return version
    }

    private mutating func handOver(_ step: Step) throws {
        let (way, killsClickHouse) = (step.way, step.killsClickHouse)
        if step.changesVersion { version = (version + 1) % versions.count }
        handOvers += 1
        pause(upTo: 800_000)
        // One that begins needs ClickHouse, and may not have the state directory yet.
        if way.nextWaits || killsClickHouse { try waitUntilItReads() }
        if way.nextWaits {
            let next = try job.start(["--wait"], of: versions[version])
            try waitUntil("the next worker waits") {
                try #require(next.isRunning, "\(next.errors)")
                return next.errors.contains("waiting for the worker")
            }
            if killsClickHouse { killClickHouse() }
            try end(by: way)
            worker = next
            if killsClickHouse { pause(upTo: 1_000_000) }
            try startClickHouse()
        } else {
            if killsClickHouse { killClickHouse() }
            try end(by: way)
            if killsClickHouse, Bool.random(using: &random) { try expectRefusalWithoutClickHouse() }
            try startClickHouse()
            try begin(version)
        }
        // Some are ended while they begin.
        if Int.random(in: 0..<4, using: &random) != 0 { try waitUntilItReads() }
    }

    private mutating func begin(_ version: Int) throws { worker = try job.start(of: versions[version]) }

    /// Whatever waits, such a start says what it lacks and changes nothing.
    private mutating func expectRefusalWithoutClickHouse() throws {
        let refused = try job.run("run", of: versions[version])
        #expect(refused.status == 1 && refused.errors.contains("ClickHouse"), "\(refused)")
        refusals += 1
    }

    private func waitUntilItReads() throws {
        try waitUntil("the worker reads") { [worker] in
            let worker = try #require(worker)
            try #require(worker.isRunning, "a start was refused: \(worker.errors)")
            return worker.errors.contains("reading begins")
        }
    }

    private mutating func end(by way: Way) throws {
        let worker = try #require(worker)
        try #require(worker.isRunning, "the worker ended by itself: \(worker.errors)")
        worker.send(way.kills ? SIGKILL : SIGTERM)
        let status = worker.waitForExit()
        if way.kills {
            try #require(status == -SIGKILL, "\(worker.errors)")
        } else {
            try #require([0, 3].contains(status), "ended with \(status): \(worker.errors)")
            if status == 3 { drainsWithRest += 1 }
        }
        self.worker = nil
    }

    private mutating func killClickHouse() {
        pause(upTo: 300_000)
        clickHouse.kill()
        clickHouseKills += 1
        isClickHouseUp = false
        pause(upTo: 500_000)
    }

    private mutating func startClickHouse() throws {
        if !isClickHouseUp { try clickHouse.start() }
        isClickHouseUp = true
    }

    /// The moment is the point: any one must do.
    private mutating func pause(upTo microseconds: UInt32) { usleep(UInt32.random(in: 0...microseconds, using: &random)) }
}
