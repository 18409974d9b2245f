import Engine

/// What is wrong with a configuration: every problem that was found, not only the first.
package struct ConfigurationError: Failure {
    /// One thing to correct.
    package struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// Where the value came from: `fintech.yaml:12`, an environment variable, or `--set`.
        package let place: String
        /// The key as the documentation writes it, such as `clickhouse.url`; empty when the file as a whole is meant.
        package let key: String
        /// What was found, what was expected, and what to do. Never shows a secret.
        package let explanation: String

        package var description: String {
            key.isEmpty ? "\(place): \(explanation)" : "\(place): \(key): \(explanation)"
        }
    }

    package let problems: [Problem]
    package let kind: FailureKind
    package let cause: (any Error)?

    package init(_ problems: [Problem], kind: FailureKind = .invalid, cause: (any Error)? = nil) {
        self.problems = problems
        self.kind = kind
        self.cause = cause
    }

    /// One problem a line.
    package var message: String {
        guard problems.count != 1 else { return "configuration: \(problems[0])" }
        return "the configuration has \(problems.count) problems\n" + problems.map { "  \($0)" }.joined(separator: "\n")
    }
}
