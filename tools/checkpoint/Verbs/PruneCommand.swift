import ArgumentParser
import CheckpointStores
import CommandLineParts
import Configuration

/// `--older-than`
struct AgeOption: ParsableArguments {
    @Option(
        name: .customLong("older-than"),
        help: ArgumentHelp(
            "What is younger stays whatever else says; it must be longer than the longest restore or upload.", valueName: "duration"))
    var age = "24h"

    func validate() throws {
        guard Units.milliseconds(age) != nil else { throw ValidationError("--older-than: expected a duration such as 24h, found \(age)") }
    }

    var duration: Duration { .milliseconds(Units.milliseconds(age) ?? 0) }
}

/// `checkpoint prune`
struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Collects checkpoints that nothing keeps, and the objects that only they need.",
        discussion: "The newest ones that are whole, and tagged ones, always stay. A collected checkpoint leaves a tombstone."
    )

    @Option(name: .customLong("keep-last"), help: "Keep so many of the newest; at least 1.")
    var last = 10

    @Option(name: .customLong("keep-hourly"), help: "Keep the newest of each of so many hours.")
    var hourly = 0

    @Option(name: .customLong("keep-daily"), help: "Keep the newest of each of so many days.")
    var daily = 0

    @OptionGroup var age: AgeOption
    @OptionGroup var change: ChangeOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        for (name, count, least) in [("--keep-last", last, 1), ("--keep-hourly", hourly, 0), ("--keep-daily", daily, 0)] where count < least
        {
            throw ValidationError("\(name): expected a number from \(least), found \(count)")
        }
    }

    func run() throws {
        let policy = RetentionPolicy(last: last, hourly: hourly, daily: daily)
        try Collection(verb: "prune", policy: policy, age: age.duration).run(try store.open(), output, change)
    }
}

/// `checkpoint gc`
struct GarbageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Removes objects that no checkpoint needs, such as an interrupted upload's. Checkpoints all stay."
    )

    @OptionGroup var age: AgeOption
    @OptionGroup var change: ChangeOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        try Collection(verb: "gc", policy: RetentionPolicy(last: .max), age: age.duration).run(try store.open(), output, change)
    }
}

/// What both do: plan, show, carry out.
private struct Collection {
    let verb: String
    let policy: RetentionPolicy
    let age: Duration

    func run(_ store: CheckpointStore, _ output: OutputOptions, _ change: ChangeOptions) throws {
        try store.requireCheckpoints()
        let planned = try store.planCollection(policy, olderThan: age, now: WallTime.now.milliseconds)
        var plan = Plan(verb, output, change)
        plan.fact("store", .text(store.location))
        plan.fact("kept", .count(planned.kept.count))
        plan.fact("unreadable", .json("[" + planned.unreadable.map(\.description).joined(separator: ",") + "]"))
        plan.fact("freedBytes", .bytes(planned.bytes))
        for number in planned.manifests { plan.step("collect", "checkpoint \(number)", "no rule and no tag keeps it") }
        for object in planned.objects { plan.step("remove", object.key.text, "no kept checkpoint needs it") }
        try plan.carryOut {
            let done = try store.collect(planned)
            let left = planned.manifests.count + planned.objects.count - done.manifests.count - done.objects.count
            if left > 0 { Console.writeToTerminal("\(left) of these were taken back: they are needed again\n") }
        }
    }
}
