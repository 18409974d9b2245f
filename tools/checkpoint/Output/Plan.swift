import ArgumentParser
import CommandLineParts
import Foundation

/// The options of every verb that changes something that is there.
struct ChangeOptions: ParsableArguments {
    @Flag(name: .customLong("dry-run"), help: "Say what would be done, and do nothing.")
    var isDryRun = false

    @Flag(name: .customLong("yes"), help: "Do it without asking; needed where nobody can be asked.")
    var isAgreed = false
}

/// What a verb is about to do: shown first, carried out when somebody agrees.
struct Plan {
    struct Step {
        let action: String
        let object: String
        let reason: String
    }

    let verb: String
    let output: OutputOptions
    let options: ChangeOptions
    var facts: [(name: String, value: Cell)] = []
    var steps: [Step] = []

    init(_ verb: String, _ output: OutputOptions, _ options: ChangeOptions) {
        self.verb = verb
        self.output = output
        self.options = options
    }

    mutating func fact(_ name: String, _ value: Cell) { facts.append((name, value)) }
    mutating func step(_ action: String, _ object: String, _ reason: String) {
        steps.append(Step(action: action, object: object, reason: reason))
    }

    /// Shows the plan, asks where nobody has agreed yet, and carries it out. JSON comes once, when it is done or not.
    func carryOut(_ body: () throws -> Void) throws {
        if output.format == .table { write(state: nil) }
        guard !steps.isEmpty else { return finish("nothing to do") }
        guard !options.isDryRun else { return finish("dry run, nothing done") }
        try agree()
        try body()
        finish("done")
    }

    private func agree() throws {
        guard !options.isAgreed else { return }
        guard isatty(STDIN_FILENO) == 1 && Console.errorIsTerminal else {
            throw ValidationError("nobody can be asked here: add --yes to do it, or --dry-run to only see it")
        }
        Console.writeToTerminal("Do this? [y/N] ")
        guard readLine()?.lowercased() == "y" else { throw ToolError(.invalid, "nothing was done") }
    }

    private func finish(_ state: String) {
        if output.format == .table { Console.writeResult("\n\(state)") } else { write(state: state) }
    }

    private func write(state: String?) {
        let report = Report(verb, output)
        for fact in facts { report.fact(fact.name, fact.value) }
        if let state { report.fact("state", .text(state)) }
        if steps.isEmpty && output.format == .table { return report.finish() }
        report.section("plan", [ReportColumn("action"), ReportColumn("object"), ReportColumn("reason")])
        for step in steps { report.row([.text(step.action), .text(step.object), .text(step.reason)]) }
        report.finish()
    }
}
