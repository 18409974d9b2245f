import ArgumentParser
import Foundation
import Simulation
import SimulationWorlds
import Synchronization

/// `tools/simulate`: seeds of every world, one after the other on as many threads as wanted.
@main
struct SimulationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulation", abstract: "Simulates whole workers, with faults, in every world; ends with 1 when a promise was broken."
    )

    @Option(help: "How many seeds, over all worlds together.")
    var seeds = 2000

    @Option(help: "The first seed of each world.")
    var from: UInt64 = 0

    @Option(help: "Only the worlds with this in their names.")
    var world: String?

    @Option(help: "How many threads.")
    var threads = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print what happened last in each run.")
    var trace = false

    @Flag(help: "End with the first promise that is broken.")
    var first = false

    private struct Progress {
        var next = 0
        var broken = 0
        var counts: [String: Int] = [:]
        /// The run in which most happened, and how much that was.
        var longest = (run: "", events: 0, length: Duration.zero)
    }

    func validate() throws {
        guard seeds > 0, threads > 0 else { throw ValidationError("expected at least one seed, and one thread") }
    }

    func run() throws {
        let worlds = SimulationWorld.allCases.filter { world == nil || $0.name.contains(world ?? "") }
        guard !worlds.isEmpty else {
            throw ValidationError(
                "no world has \(world ?? "") in its name; they are \(SimulationWorld.allCases.map(\.name).joined(separator: "; "))")
        }
        let progress = Mutex(Progress())
        let start = ContinuousClock.now
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            while let number = next(progress) {
                let world = worlds[number % worlds.count]
                let seed = from + UInt64(number / worlds.count)
                let report: SimulationReport
                do {
                    report = try world.run(seed: seed)
                } catch {
                    report = SimulationReport(failure: "\(error)")
                }
                let isBroken = !report.violations.isEmpty
                progress.withLock { progress in
                    progress.broken += isBroken ? 1 : 0
                    progress.counts.merge(report.counts) { $0 + $1 }
                    if report.events > progress.longest.events {
                        progress.longest = ("\(world.name), seed \(seed)", report.events, report.length)
                    }
                }
                if isBroken || trace { print("\(world.name): \(report.story(seed: seed))") }
            }
        }
        let (ran, broken, counts, longest) = progress.withLock { ($0.next, $0.broken, $0.counts, $0.longest) }
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) { print("\(count)  \(name)") }
        print("the longest run: \(longest.run), \(longest.events) events in \(longest.length) of virtual time")
        print("\(ran) seeds of \(worlds.count) worlds in \(ContinuousClock.now - start): \(broken) broke a promise")
        if broken > 0 { throw ExitCode.failure }
    }

    private func next(_ progress: borrowing Mutex<Progress>) -> Int? {
        progress.withLock { progress in
            guard progress.next < seeds, !first || progress.broken == 0 else { return nil }
            defer { progress.next += 1 }
            return progress.next
        }
    }
}
