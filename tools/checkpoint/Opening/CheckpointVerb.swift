import ArgumentParser

/// A verb that reads a checkpoint.
///
/// All of them are told in the same way which one: `REF` is the first of the verb's arguments, or stands after `--at`.
protocol CheckpointVerb: ParsableCommand {
    /// The arguments that follow `REF`.
    static var operands: [VerbOperand] { get }
    /// What is read when nobody names a checkpoint; nil where one has to be named.
    static var defaultReference: String? { get }
    var words: CheckpointWords<Self> { get }
}

/// An argument of a verb beside the checkpoint.
struct VerbOperand {
    let name: String
    let help: String
    var isOptional = false

    static let table = VerbOperand(
        name: "table", help: "the state table, by its name, or stage.name where several stages have one of that name")
    static let key = VerbOperand(name: "key", help: "as text, or as hex after 0x")

    fileprivate var usage: String { isOptional ? "[<\(name)>]" : "<\(name)>" }
}

extension CheckpointVerb {
    static var operands: [VerbOperand] { [] }
    static var defaultReference: String? { "latest" }

    /// The verb's configuration; its usage says what `words` takes.
    static func verb(_ name: String, abstract: String, discussion: String = "") -> CommandConfiguration {
        let reference = defaultReference == nil ? "(<ref> | --at <ref>)" : "[<ref> | --at <ref>]"
        let words = ([reference] + operands.map(\.usage)).joined(separator: " ")
        return CommandConfiguration(
            commandName: name, abstract: abstract, usage: "checkpoint \(name) \(words) [<options>]", discussion: discussion)
    }

    /// The checkpoint to read.
    var reference: String { words.named ?? Self.defaultReference ?? "" }

    /// The operand in this place, which may be left out.
    func optionalOperand(_ place: Int) -> String? { words.operands.dropFirst(place).first }

    /// The operand in this place, which `words` has seen to be there.
    func operand(_ place: Int) -> String { words.operands[place] }
}

/// The arguments of a verb that reads a checkpoint, and `--at`.
struct CheckpointWords<Verb: CheckpointVerb>: ParsableArguments {
    @Argument(help: ArgumentHelp(CheckpointWords.help, valueName: "arguments"))
    var words: [String] = []

    @Option(
        name: .customLong("at"), help: ArgumentHelp("The checkpoint, said here instead of first among the arguments.", valueName: "ref"))
    var at: String?

    private static var help: String {
        let first = Verb.defaultReference.map { "REF, the checkpoint (\($0) unless said)" } ?? "REF, the checkpoint"
        return ([first] + Verb.operands.map { "\($0.name): \($0.help)" }).joined(separator: "; then ")
    }

    /// How many operands there have to be.
    private static var counts: ClosedRange<Int> { Verb.operands.count { !$0.isOptional }...Verb.operands.count }

    /// An optional operand can't be told from a checkpoint that may be left out.
    private static var mayLeadWithReference: ClosedRange<Int> {
        precondition(counts.count == 1 || Verb.defaultReference == nil, "a verb with an optional operand needs its checkpoint named")
        return counts.lowerBound + 1...counts.upperBound + 1
    }

    func validate() throws {
        let mayLeaveOut = at != nil || Verb.defaultReference != nil
        let isRight = (mayLeaveOut && Self.counts.contains(words.count)) || (at == nil && Self.mayLeadWithReference.contains(words.count))
        guard !isRight else { return }
        let reference = at != nil ? [] : [Verb.defaultReference == nil ? "<ref>" : "[<ref>]"]
        let expected = (reference + Verb.operands.map(\.usage)).joined(separator: " ")
        let found = words.isEmpty ? "nothing" : words.map { "'\($0)'" }.joined(separator: " ")
        throw ValidationError(
            "expected \(expected.isEmpty ? "no arguments" : expected)\(at == nil ? "" : " beside --at, which names the checkpoint"), found \(found)"
        )
    }

    private var isLedByReference: Bool { at == nil && Self.mayLeadWithReference.contains(words.count) }

    /// The checkpoint that was named; nil when none was.
    var named: String? { at ?? (isLedByReference ? words[0] : nil) }

    var operands: [String] { Array(words.dropFirst(isLedByReference ? 1 : 0)) }
}
