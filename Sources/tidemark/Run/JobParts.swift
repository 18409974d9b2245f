import Avro
import CheckpointStores
import ClickHouseSink
import CommandLineParts
import Configuration
import Engine
import FintechJob
import Foundation
import KafkaIO
import Logging
import SQLiteState
import SchemaRegistry
import Worker

/// The parts of a job as its configuration describes them; nothing is opened before it is asked for.
struct JobParts {
    let configuration: JobConfiguration
    var logger: Logger
    /// State tables to drop when the state is opened.
    let droppedTables: [String]
    /// The schemas of records in Avro; nil where they are JSON.
    let schemas: RegisteredSchemas?

    init(configuration: JobConfiguration, logger: Logger, droppedTables: [String] = []) {
        self.configuration = configuration
        self.logger = logger
        self.droppedTables = droppedTables
        schemas = configuration.input.registry.map { RegisteredSchemas(RegistrySettings($0), logger: logger) }
    }

    /// The job as a start without a state would begin it: its topics, tables and references are the same over any.
    var topology: Topology { topology(over: nil) }

    /// The job as it goes on from a state. `fixed`: the settings that the state was built with; nil where there is none.
    func topology(over fixed: [String: String]?) -> Topology {
        FintechJob.topology(settings: jobSettings, over: fixed).alsoWriting(
            to: configuration.kafkaOutput.isEnabled ? [KafkaOutput.name] : [])
    }

    /// What the job's own code is told.
    var jobSettings: FintechSettings {
        var settings = FintechSettings()
        settings.job = configuration.jobID
        settings.topicPrefix = configuration.input.topicPrefix
        settings.outOfOrderness = configuration.time.outOfOrderness
        settings.maxAhead = configuration.time.maxAhead
        settings.keyedBy = keying(configuration.input.keyedBy)
        settings.sessionsKeyedBy = configuration.input.sessionsKeyedBy.map(keying)
        settings.statusUpdates = configuration.input.statusUpdates
        settings.sessionsWhenEnded = configuration.input.sessionsWhenEnded
        settings.deduplicationHorizon =
            switch configuration.input.deduplicateBy {
            case .none: nil
            case .id: configuration.input.deduplicationHorizon
            }
        settings.form = inputForm
        settings.alertThreshold = configuration.fintech.alertThreshold
        settings.churnAfter = configuration.fintech.churnAfter
        return settings
    }

    private func keying(_ keying: InputSection.Keying) -> FintechSettings.Keying {
        switch keying {
        case .customerID: .customerID
        case .id: .id
        }
    }

    private var inputForm: InputForm {
        let section = configuration.input.form
        var form = InputForm()
        form.operations =
            switch section.operations {
            case .records: .records
            case .inserts: .inserts
            }
        form.addFieldsPrefix = section.addFieldsPrefix
        form.unavailableValue = section.unavailableValue
        form.decimals =
            switch section.decimals {
            case .string: .text
            case .precise: .precise(scale: section.decimalScale)
            }
        form.zone = section.zone
        if let schemas, let framing { form.avro = AvroForm(framing: framing, schemas: schemas) }
        return form
    }

    func workerSettings(untilEnd: Bool) -> WorkerSettings {
        var settings = WorkerSettings()
        settings.threads = configuration.worker.threads
        settings.epochInterval = configuration.epoch.interval
        settings.epochRecords = configuration.epoch.maxRecords
        settings.epochBytes = configuration.epoch.maxBytes
        settings.flushInterval = configuration.clickHouse.flushInterval
        settings.outboxLimits.bytes = configuration.sink.outboxLimit
        settings.outboxLimits.batchBytes = min(settings.outboxLimits.batchBytes, max(configuration.sink.outboxLimit / 2, 1))
        settings.idleAfter = configuration.time.idleAfter
        settings.drainTimeout = configuration.worker.drainTimeout
        settings.memoryBudget = configuration.state.memoryBudget
        settings.namesPerRecord = configuration.state.namesPerRecord
        settings.readsUntilEnd = untilEnd
        settings.maxAhead = configuration.time.maxAhead
        settings.recordLimit = configuration.input.maxRecordBytes
        settings.referenceTimeout = configuration.input.referenceTimeout
        settings.referenceMemoryLimit = configuration.references.memoryLimit
        settings.logsReferenceProgress = !Console.errorIsTerminal
        return settings
    }

    /// `start`: where partitions without state begin, instead of `input.kafka.start`; `reachLimit`: how long the brokers
    /// may take to answer what is asked of them before the source is open; `waitsForSchemas`: false for who does not decode.
    func makeSource(
        untilEnd: Bool, start override: KafkaSettings.Start? = nil, ofReferences: Bool = false, reachLimit: Duration = .seconds(30),
        waitsForSchemas: Bool = true
    ) throws -> any RecordSource {
        switch configuration.input.source {
        case .directory(let path):
            return try DirectorySource(
                path: path, partialLineLimit: untilEnd ? .zero : DirectorySource.partialLineLimit,
                tell: { [logger] in logger.warning("\($0)") })
        case .kafka:
            var settings = kafkaSettings(start: override, reachLimit: reachLimit)
            settings.readsReferences = ofReferences
            let source = try KafkaSource(settings, logger: logger)
            guard waitsForSchemas, let schemas, let framing else { return source }
            return RegistrySource(source, schemas: schemas, framing: framing, headerNames: inputForm.headerNames)
        }
    }

    /// How records in Avro name their schemas; nil where they are JSON.
    var framing: SchemaFraming? {
        configuration.input.registry.map { registry in
            let space: SchemaID.Space =
                switch (registry.api, registry.ids) {
                case (.confluent, _): .schema
                case (.apicurio, .content): .content
                case (.apicurio, .global): .global
                }
            var framing = SchemaFraming(space: space, numberBytes: registry.idBytes == .eight ? .eight : .four)
            framing.looksAtHeaders = registry.api == .apicurio
            return framing
        }
    }

    /// How Kafka is read; of no use to a job that reads a directory.
    func kafkaSettings(start override: KafkaSettings.Start? = nil, reachLimit: Duration) -> KafkaSettings {
        guard case .kafka(let kafka) = configuration.input.source else { preconditionFailure("the input is no Kafka cluster") }
        let configured: KafkaSettings.Start =
            switch kafka.start {
            case .earliest: .earliest
            case .latest: .latest
            case .time(let time): .time(time)
            }
        return KafkaSettings(
            properties: kafka.properties.mapValues(\.revealed), defaultGroup: configuration.jobID, start: override ?? configured,
            reachLimit: reachLimit
        )
    }

    /// What the job's reference tables come from and are kept in; nil for a job without.
    func makeReferences(untilEnd: Bool) throws -> ReferenceInput? {
        guard !topology.references.isEmpty else { return nil }
        let file = try ReferenceFile(directory: configuration.state.directory)
        return ReferenceInput(file: file) { [self] in try makeSource(untilEnd: untilEnd, start: .earliest, ofReferences: true) }
    }

    /// Where checkpoints go; nil when they are off.
    func makeCheckpointStore() throws -> CheckpointStore? {
        guard let location = configuration.checkpoints.store.location else { return nil }
        return try CheckpointStore.open(
            location: location, job: configuration.jobID, environment: ProcessInfo.processInfo.environment,
            findings: { [logger] in logger.warning("\($0)") }
        )
    }

    /// How the worker uses the checkpoint store. The state directory must be locked.
    func makeCheckpoints(_ store: CheckpointStore) throws -> CheckpointSettings {
        var settings = StoreArchive.Settings()
        settings.keep = configuration.checkpoints.keep
        var checkpoints = CheckpointSettings(
            archive: try StoreArchive(store, stateDirectory: configuration.state.directory, settings: settings))
        checkpoints.rules = checkpointRules
        return checkpoints
    }

    var checkpointRules: CheckpointRules {
        var rules = CheckpointRules()
        rules.interval = configuration.checkpoints.interval
        rules.durability = configuration.state.durability
        rules.mayBeginUnasked = configuration.state.restore == .never
        return rules
    }

    func makeStore() throws -> SQLiteStateStore { try makeStore(StateDirectory(path: configuration.state.directory)) }

    func makeStore(_ directory: StateDirectory) throws -> SQLiteStateStore {
        var settings = SQLiteStateStore.Settings()
        // What is not compacted can't be evicted, so a small budget wants it compacted sooner.
        settings.compactionBytes = min(settings.compactionBytes, configuration.state.memoryBudget / 4)
        settings.ledgerKeepMilliseconds = configuration.sink.ledgerKeep.components.seconds * 1000
        settings.droppedTables = droppedTables
        return try SQLiteStateStore(directory, settings: settings)
    }

    func makeSink(_ settings: ClickHouseSettings? = nil) throws -> ClickHouseSink {
        try ClickHouseSink(settings ?? clickHouseSettings, views: topology.views, log: logger)
    }

    /// The Kafka output; nil when it is off. `reachLimit`: how long the brokers may take to answer before it is open.
    func makeKafkaOutput(reachLimit: Duration = .seconds(30)) throws -> KafkaOutput? {
        let section = configuration.kafkaOutput
        guard section.isEnabled else { return nil }
        var properties = section.properties.mapValues(\.revealed)
        if section.inheritsConnection, case .kafka(let input) = configuration.input.source {
            properties.merge(KafkaProperties.connection(of: input.properties.mapValues(\.revealed))) { own, _ in own }
        }
        var settings = KafkaOutputSettings(properties: properties, job: configuration.jobID, topicPrefix: section.topicPrefix)
        settings.reachLimit = reachLimit
        return try KafkaOutput(settings, logger: logger)
    }

    /// The input as messages name it.
    var inputName: String {
        switch configuration.input.source {
        case .directory(let path): "directory \(path)"
        case .kafka(let kafka): "Kafka at \(kafka.properties["bootstrap.servers"]?.revealed ?? "?")"
        }
    }

    var clickHouseSettings: ClickHouseSettings {
        let section = configuration.clickHouse
        var settings = ClickHouseSettings(url: section.url, job: configuration.jobID)
        settings.database = section.database
        settings.user = section.user
        settings.password = section.password.revealed
        settings.createTables = section.createTables
        settings.resolveDelay = section.resolveDelay
        settings.delivery =
            switch section.delivery {
            case .exactlyOnce: .exactlyOnce
            case .atLeastOnce: .atLeastOnce
            }
        settings.certificateAuthorityFile = section.tls.certificates
        settings.clientCertificateFile = section.tls.clientCertificate
        settings.clientKeyFile = section.tls.clientKey
        return settings
    }
}

extension RegistrySettings {
    fileprivate init(_ section: RegistrySection) {
        self.init(url: section.url)
        interface =
            switch section.api {
            case .confluent: .confluent
            case .apicurio: .apicurio
            }
        if let login = section.login { access = .basic(user: login.username, password: login.password.revealed) }
        if let token = section.token { access = .bearer(token: token.revealed) }
        certificateAuthorityFile = section.tls.certificates
        clientCertificateFile = section.tls.clientCertificate
        clientKeyFile = section.tls.clientKey
    }
}
