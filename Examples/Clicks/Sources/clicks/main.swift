import ClickHouseSink
import Engine
import Foundation
import KafkaIO
import Logging
import SQLiteState
import Worker

let job = Topology(job: "clicks", version: 1, stages: [
    Stage("clicks", topic: "clicks") { setup in
        setup.decode(with: ClickDecoder())
            .outOfOrderness(.seconds(5))
            .rejecting(topic: "clicks")
            .window(.minutes(1), ClicksPerPage(rows: setup.rows(of: clicksTable)))
    },
], views: [clicksByPage])

guard CommandLine.arguments.count >= 3 else {
    print("usage: clicks INPUT-DIRECTORY STATE-DIRECTORY [CLICKHOUSE-URL]")
    exit(64)
}
let logger = Logger(label: "clicks") { StreamLogHandler.standardError(label: $0) }
let source = try DirectorySource(path: CommandLine.arguments[1], readsUnterminatedLastLine: true)
let store = try SQLiteStateStore(directory: CommandLine.arguments[2])
let sink: any BatchSink = CommandLine.arguments.count > 3
    ? try ClickHouseSink(ClickHouseSettings(url: CommandLine.arguments[3], job: job.job), views: job.views, log: logger)
    : PrintingSink()

var settings = WorkerSettings()
settings.readsUntilEnd = true  // without it: until worker.drain() is called
let worker = Worker(job, settings: settings, source: source, store: store, sink: sink, logger: logger)
print("outcome: \(try worker.run())")
