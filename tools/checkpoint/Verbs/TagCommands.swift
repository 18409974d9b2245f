import ArgumentParser
import CheckpointStores

/// `checkpoint tag`
struct TagCommand: CheckpointVerb {
    static let configuration = verb(
        "tag", abstract: "Gives a checkpoint a name, which keeps it from being collected.",
        discussion: "A name that another checkpoint has is refused."
    )

    static let operands = [VerbOperand(name: "name", help: "letters, digits, dots, dashes and underscores")]
    static let defaultReference: String? = nil

    @OptionGroup var words: CheckpointWords<TagCommand>

    @OptionGroup var source: CheckpointSource
    @OptionGroup var output: OutputOptions

    func run() throws {
        let name = operand(0)
        let (store, manifest) = try source.stored(reference)
        try store.tag(manifest.number, as: name)
        let report = Report("tag", output)
        report.fact("checkpoint", .count(manifest.number.number))
        report.fact("tag", .text(name))
        report.finish()
    }
}

/// `checkpoint untag`
struct UntagCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "untag", abstract: "Takes a name away; the checkpoint may be collected then.")

    @Argument(help: "The name.")
    var name: String

    @OptionGroup var change: ChangeOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let store = try store.open()
        let number = try store.number(of: .tag(name))
        var plan = Plan("untag", output, change)
        plan.fact("store", .text(store.location))
        plan.step("remove", "tag \(name)", "checkpoint \(number) may be collected then")
        try plan.carryOut { try store.untag(name) }
    }
}
