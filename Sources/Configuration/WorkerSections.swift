import Engine

/// `state`: what the worker keeps on this machine.
public struct StateSection: Sendable {
    /// `state.directory`: holds the state file; one worker at a time. Relative to the working directory.
    public var directory = "./state"
    /// `state.memoryBudget`: bytes of keyed state held in memory.
    public var memoryBudget = 512 << 20
    /// `state.namesPerRecord`: how many names a set, or counts, of one record hold; what comes beyond it counts as another.
    public var namesPerRecord = NameBound.usual
    /// `state.restore`: what becomes of an empty state directory.
    public var restore = Restore.latest
    /// `state.durability`: when rows may leave: when their epoch is on this disk, or in the checkpoint store.
    public var durability = Durability.local

    public enum Restore: Sendable, Equatable {
        /// The newest checkpoint that is whole is restored; without any the state begins anew.
        case latest
        /// The state begins anew.
        case never
        /// This checkpoint is restored: a number, `latest~2`, `@<time>` or `tag:<name>`.
        case reference(String)
    }

    init(_ reader: inout SettingsReader) {
        // An address, which may hold a password, would be made as a directory, and shown as one.
        directory = reader.value(
            "state.directory", default: directory, expected: "the path of a directory (an address such as s3://… goes to checkpoints.store)"
        ) {
            $0.isEmpty || $0.holds("://") ? nil : $0
        }
        memoryBudget = reader.bytes("state.memoryBudget", default: memoryBudget, from: "16MiB", to: "1TiB")
        namesPerRecord = reader.integer("state.namesPerRecord", default: namesPerRecord, in: NameBound.least...16_777_216)
        restore = reader.value(
            "state.restore", default: restore,
            expected: "latest, never, or a checkpoint: its number, latest~2, @2026-09-01T10:00Z or tag:name"
        ) { text in
            switch text {
            case "": nil
            case "latest": .latest
            case "never": .never
            default: .reference(text)
            }
        }
        durability = reader.value("state.durability", default: durability, expected: "local or shared") { Durability(rawValue: $0) }
    }
}

/// `references`: the tables that the job looks things up in.
public struct ReferenceSection: Sendable {
    /// `references.memoryLimit`: bytes that all of them may take; beyond that the worker ends with an error.
    public var memoryLimit = 1 << 30

    init(_ reader: inout SettingsReader) {
        memoryLimit = reader.bytes("references.memoryLimit", default: memoryLimit, from: "1MiB", to: "1TiB")
    }
}

/// `checkpoints`: where copies of the state go, how often, and for how long.
public struct CheckpointSection: Sendable {
    /// `checkpoints.store`
    public var store = Store.directory("./checkpoints")
    /// `checkpoints.interval`
    public var interval: Duration = .seconds(30)
    /// `checkpoints.keep`: how many are kept.
    public var keep = 10

    public enum Store: Sendable, Equatable {
        case directory(String)
        /// `s3://bucket/prefix`
        case s3(bucket: String, prefix: String)
        /// `off`: no checkpoints are written.
        case off

        /// As the store itself takes it; nil for none.
        public var location: String? {
            switch self {
            case .directory(let path): path
            case .s3(let bucket, let prefix): "s3://\(bucket)" + (prefix.isEmpty ? "" : "/" + prefix)
            case .off: nil
            }
        }
    }

    init(_ reader: inout SettingsReader) {
        store = reader.value(
            "checkpoints.store", default: store, expected: "a directory, s3://bucket/prefix, or off", CheckpointSection.store)
        interval = reader.duration("checkpoints.interval", default: interval, from: "1s", to: "24h")
        keep = reader.integer("checkpoints.keep", default: keep, in: 1...10_000)
    }

    private static func store(_ text: String) -> Store? {
        if text == "off" { return .off }
        guard let scheme = text.firstRange(of: "://") else { return text.isEmpty ? nil : .directory(text) }
        guard text[..<scheme.lowerBound] == "s3" else { return nil }
        let path = text[scheme.upperBound...].parts(at: "/", maxSplits: 1, omittingEmpty: false)
        guard let bucket = path.first, bucket.utf8.count >= 3, bucket.utf8.allSatisfy(PlainName.isByte) else { return nil }
        var prefix = path.count > 1 ? path[1] : ""
        while let shorter = prefix.rest(before: "/") { prefix = shorter }
        return .s3(bucket: String(bucket), prefix: String(prefix))
    }
}

/// `epoch`: when the common cut of all tasks is made. The first limit reached ends the epoch.
public struct EpochSection: Sendable {
    /// `epoch.interval`; it stretches when commits would take more than a tenth of the time.
    public var interval: Duration = .milliseconds(500)
    /// `epoch.maxRecords`: input records of all tasks together.
    public var maxRecords = 500_000
    /// `epoch.maxBytes`: bytes of what would be committed, of all tasks together.
    public var maxBytes = 16 << 20

    init(_ reader: inout SettingsReader) {
        interval = reader.duration("epoch.interval", default: interval, from: "10ms", to: "5m")
        maxRecords = reader.integer("epoch.maxRecords", default: maxRecords, in: 1...100_000_000)
        maxBytes = reader.bytes("epoch.maxBytes", default: maxBytes, from: "64KiB", to: "16GiB")
    }
}

/// `worker` and `drain`: how the process runs and stops.
public struct WorkerSection: Sendable {
    /// `worker.threads`: threads that tasks are spread over; 0 means one for each core.
    public var threads = 0
    /// `drain.timeout`: how long a stop waits for deliveries; the rest stays in the outbox.
    public var drainTimeout: Duration = .seconds(25)

    init(_ reader: inout SettingsReader) {
        threads = reader.integer("worker.threads", default: threads, in: 0...1024)
        drainTimeout = reader.duration("drain.timeout", default: drainTimeout, from: "0s", to: "24h")
    }
}
