import ClickHouseSink
import Engine
import Foundation
import KafkaIO
import Logging
import SQLiteState
import Worker

let firstJob = Topology(
    job: "clicks", version: 1,
    stages: [
        Stage("clicks", topic: "clicks") { setup in
            setup.decode(with: ClickDecoder())
                .outOfOrderness(.seconds(5))
                .rejecting(topic: "clicks")
                .window(.minutes(1), ClicksPerPage(rows: setup.rows(of: clicksTable)))
        }
    ], views: [clicksByPage])

let arguments = CommandLine.arguments.dropFirst().filter { $0 != "--changed" }
guard arguments.count >= 2 else {
    print("usage: clicks INPUT-DIRECTORY STATE-DIRECTORY [CLICKHOUSE-URL] [--changed]")
    exit(64)
}
let job = CommandLine.arguments.contains("--changed") ? changedJob : firstJob
let logger = Logger(label: "clicks") { StreamLogHandler.standardError(label: $0) }
let source = try DirectorySource(path: arguments[0])
let store = try SQLiteStateStore(directory: arguments[1])
let sink: any BatchSink =
    arguments.count > 2
    ? try ClickHouseSink(ClickHouseSettings(url: arguments[2], job: job.job), views: job.views, log: logger)
    : PrintingSink()

var settings = WorkerSettings()
settings.readsUntilEnd = true  // without it: until worker.drain() is called
let worker = Worker(job, settings: settings, source: source, store: store, sink: sink, logger: logger)
print("outcome: \(try worker.run())")
