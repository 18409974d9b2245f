import Engine

/// What is wrong with a configuration: every problem that was found, not only the first.
public struct ConfigurationError: Failure {
    /// One thing to correct.
    public struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// Where the value came from: `fintech.yaml:12`, an environment variable, or `--set`.
        public let place: String
        /// The key as the documentation writes it, such as `clickhouse.url`; empty when the file as a whole is meant.
        public let key: String
        /// What was found, what was expected, and what to do. Never shows a secret.
        public let explanation: String

        public var description: String {
            key.isEmpty ? "\(place): \(explanation)" : "\(place): \(key): \(explanation)"
        }
    }

    public let problems: [Problem]
    public let kind: FailureKind
    public let cause: (any Error)?

    public init(_ problems: [Problem], kind: FailureKind = .invalid, cause: (any Error)? = nil) {
        self.problems = problems
        self.kind = kind
        self.cause = cause
    }

    /// One problem a line.
    public var message: String {
        guard problems.count != 1 else { return "configuration: \(problems[0])" }
        return "the configuration has \(problems.count) problems\n" + problems.map { "  \($0)" }.joined(separator: "\n")
    }
}
