import ArgumentParser

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
