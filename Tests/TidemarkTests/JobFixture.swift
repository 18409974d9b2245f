import Foundation
import TestSupport

/// A job with a configuration, a state directory and a database of its own.
final class JobFixture {
    enum Input {
        case kafka(String)
        case directory(String)
    }

    let directory: TemporaryDirectory
    let database: String
    let clickHouse: any TestClickHouse
    private let input: Input
    private let settings: [String]
    private let environment: [String: String]

    /// Flat records that don't say their operation are inserts, as in the golden cases. `url`: where the job finds ClickHouse, when that is not the server itself but a proxy before it.
    init(_ input: Input, _ clickHouse: any TestClickHouse, url: String? = nil, settings: [String] = [], environment: [String: String] = [:])
        throws
    {
        directory = try TemporaryDirectory("tidemark-job")
        database = "job_\(UInt32.random(in: 1 ... .max))"
        self.input = input
        self.clickHouse = clickHouse
        self.settings = settings
        self.environment = environment
        let source =
            switch input {
            case .kafka(let brokers): "{kafka: {properties: {bootstrap.servers: \"\(brokers)\"}}, operations: inserts}"
            case .directory(let path): "{directory: \"\(path)\", operations: inserts}"
            }
        let text = """
            job: {id: fintech}
            input: \(source)
            clickhouse: {url: "\(url ?? clickHouse.url)", database: \(database), resolveDelay: 1s}
            state: {directory: "\(stateDirectory)"}
            checkpoints: {store: "\(checkpoints)", interval: 1s}
            http: {bind: "127.0.0.1:0"}
            log: {format: text}
            """
        try text.write(toFile: configuration, atomically: true, encoding: .utf8)
    }

    deinit { _ = try? clickHouse.query("DROP DATABASE IF EXISTS \(database)") }

    var configuration: String { directory.file("job.yaml") }
    var stateDirectory: String { directory.file("state") }
    var checkpoints: String { directory.file("checkpoints") }

    func arguments(_ command: String, _ more: [String]) -> [String] {
        [command, "--config", configuration] + settings.flatMap { ["--set", $0] } + more
    }

    /// Starts the worker; `binary`: of another version of the job.
    func start(_ more: [String] = [], of binary: String = TidemarkBinary.path) throws -> ChildProcess {
        try TidemarkBinary.start(arguments("run", more), environment: environment, of: binary)
    }

    /// Runs the worker to the end of its input.
    @discardableResult
    func runUntilEnd(_ more: [String] = []) throws -> FinishedRun {
        try TidemarkBinary.run(arguments("run", ["--until-end"] + more), environment: environment)
    }

    /// Runs another command on the same configuration; `binary`: of another version of the job.
    func run(_ command: String, _ more: [String] = [], of binary: String = TidemarkBinary.path) throws -> FinishedRun {
        try TidemarkBinary.run(arguments(command, more), environment: environment, of: binary)
    }

    func rowCount(_ table: String) throws -> Int {
        Int(try clickHouse.rows("SELECT count() FROM \(database).\(table)")[0][0]) ?? -1
    }
}

/// Waits until a worker says where its status page is; the address ends with a slash.
func statusPage(of worker: ChildProcess) throws -> String {
    var page = ""
    try waitUntil("the page's address is in the log") {
        guard worker.isRunning else { throw WaitedTooLong(description: "the worker ended: \(worker.errors)") }
        page = worker.errors.firstMatch(of: /status page at (http:\S+\/)/).map { String($0.1) } ?? ""
        return !page.isEmpty
    }
    return page
}
