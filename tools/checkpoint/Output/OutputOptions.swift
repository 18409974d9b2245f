import ArgumentParser

/// How results are written.
struct OutputOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
        case jsonl
    }

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: "How the result is written: for people, as one JSON document, or as a line of JSON for each row.")
    var format = Format.table
}
