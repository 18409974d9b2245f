import ArgumentParser
import CommandLineParts
import Dispatch
import KafkaIO

/// `tidemark dev`
struct DevCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Runs a development broker on loopback until it is stopped.",
        discussion: """
            librdkafka's mock cluster: the real protocol, kept in memory. It holds about 5 MB (compressed) a partition and \
            drops the oldest beyond that; it has no transactions. Prints "ready <host:port>" when clients may come. Topics \
            that are not named are created on first use.
            """
    )

    @Option(help: ArgumentHelp("The port to listen on; any free one if it is left out.", valueName: "port"))
    var port: Int?

    @Option(help: ArgumentHelp("Topics to have from the start, with their partitions.", valueName: "name:partitions,…"))
    var topics: String?

    func validate() throws {
        if let port, !(1...65_535).contains(port) { throw ValidationError("--port: expected 1 to 65535, found \(port)") }
        do {
            _ = try topics.map(DevelopmentTopic.list)
        } catch let error as SourceError {
            throw ValidationError("--topics: \(error.message)")
        }
    }

    func run() throws {
        let broker = try DevelopmentBroker(topics: topics.map(DevelopmentTopic.list) ?? [], port: port)
        let stopped = DispatchSemaphore(value: 0)
        let signals = StopSignals { stopped.signal() }
        Console.writeResult("ready \(broker.bootstrapServers)")
        withExtendedLifetime((broker, signals)) { stopped.wait() }
    }
}
