import ArgumentParser
import CommandLineParts
import Configuration
import Engine
import Foundation
import KafkaIO

/// The options of every command that reads a configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration, a YAML file.", valueName: "file"))
    var config: String

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Sets a key of the configuration, over the file and the environment; may be repeated.", valueName: "key=value"))
    var settings: [String] = []

    func validate() throws {
        for setting in settings where setting.firstIndex(ofSign: "=").map({ $0 == setting.startIndex }) ?? true {
            // What stands there may be a secret that lost its key, so it is not shown.
            throw ValidationError("--set: expected key=value such as clickhouse.url=http://127.0.0.1:8123, found no = with a key before it")
        }
    }

    /// Reads the configuration; throws an error that lists every problem.
    func load() throws -> JobConfiguration {
        let loaded = try JobConfiguration.load(
            path: config, environment: ProcessInfo.processInfo.environment, flags: settings,
            kafkaProblem: { name, value in KafkaProperties.problems(in: [name: value], for: .consumer).first?.message },
            outputProblem: { name, value in KafkaProperties.problems(in: [name: value], for: .output).first?.message }
        )
        Console.hide(with: loaded.redactor)
        for note in loaded.notes { Console.writeNote(note) }
        return loaded
    }
}
