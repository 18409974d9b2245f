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

    var usage: String { isOptional ? "[<\(name)>]" : "<\(name)>" }
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
