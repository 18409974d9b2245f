import Engine

/// `epoch`: when the common cut of all tasks is made. The first limit reached ends the epoch.
package struct EpochSection: Sendable {
    /// `epoch.interval`; it stretches when commits would take more than a tenth of the time.
    package var interval: Duration = .milliseconds(500)
    /// `epoch.maxRecords`: input records of all tasks together.
    package var maxRecords = 500_000
    /// `epoch.maxBytes`: bytes of what would be committed, of all tasks together.
    package var maxBytes = 16 << 20

    init(_ reader: inout SettingsReader) {
        interval = reader.duration("epoch.interval", default: interval, from: "10ms", to: "5m")
        maxRecords = reader.integer("epoch.maxRecords", default: maxRecords, in: 1...100_000_000)
        maxBytes = reader.bytes("epoch.maxBytes", default: maxBytes, from: "64KiB", to: "16GiB")
    }
}

/// `worker` and `drain`: how the process runs and stops.
package struct WorkerSection: Sendable {
    /// `worker.threads`: threads that tasks are spread over; 0 means one for each core.
    package var threads = 0
    /// `drain.timeout`: how long a stop waits for deliveries; the rest stays in the outbox.
    package var drainTimeout: Duration = .seconds(25)

    init(_ reader: inout SettingsReader) {
        threads = reader.integer("worker.threads", default: threads, in: 0...1024)
        drainTimeout = reader.duration("drain.timeout", default: drainTimeout, from: "0s", to: "24h")
    }
}
