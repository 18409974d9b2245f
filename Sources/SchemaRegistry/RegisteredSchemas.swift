import Avro
import Dispatch
import Engine
import Logging
import Synchronization

/// The schemas of a registry, each asked for once and kept for as long as the process runs: what a number stands for never changes.
///
/// While the registry is away it is asked again and again, with growing pauses, until it answers; who needs a schema waits meanwhile.
package final class RegisteredSchemas: SchemaTable {
    private struct State {
        var known: [SchemaID: FoundSchema] = [:]
        var knownBytes = 0
        /// When a number was last found to be missing.
        var missingSince: [SchemaID: ContinuousClock.Instant] = [:]
        var wanted: Set<SchemaID> = []
        var isAsking = false
        /// Why a schema that somebody waits for is not there; nil while the registry answers.
        var trouble: String?
        var hasEnded = false
        var waiters: [DispatchSemaphore] = []
    }

    private let settings: RegistrySettings
    private let logger: Logger
    private let state = Mutex(State())
    private let asking: Asking
    private let queue = DispatchQueue(label: "tidemark.schema-registry")

    /// How many schemas are kept, and how many bytes of them.
    static let schemaLimit = 20_000
    static let byteLimit = 256 << 20
    /// How many numbers that the registry does not know are remembered.
    static let missingLimit = 20_000
    /// Between two messages that the registry is away.
    private static let complaintInterval = Duration.seconds(60)

    /// Asks nobody yet.
    package init(_ settings: RegistrySettings, logger: Logger) {
        self.settings = settings
        self.logger = logger
        asking = Asking(settings)
    }

    /// What only the queue's work uses.
    ///
    /// `@unchecked Sendable`: used on the serial queue alone.
    private final class Asking: @unchecked Sendable {
        private let settings: RegistrySettings
        private var client: RegistryClient?
        var pause = Duration.zero
        var complained: ContinuousClock.Instant?

        init(_ settings: RegistrySettings) { self.settings = settings }

        func schema(_ id: SchemaID) throws(RegistryError) -> FoundSchema {
            if let client { return try client.schema(id) }
            let made = try RegistryClient(settings)
            client = made
            return try made.schema(id)
        }
    }

    // MARK: - Looking

    package func schema(_ id: SchemaID) -> FoundSchema {
        state.withLock { $0.known[id] ?? ($0.missingSince[id] == nil ? .unasked : .missing) }
    }

    /// Whether records of this schema can be handed on. A number that the registry did not know is as good as known, and asked for
    /// again now and then.
    func isKnown(_ id: SchemaID) -> Bool {
        let (isKnown, isOld) = state.withLock { state -> (Bool, Bool) in
            if state.known[id] != nil { return (true, false) }
            guard let since = state.missingSince[id] else { return (false, false) }
            return (true, ContinuousClock.now - since >= settings.missingAgainAfter)
        }
        if isOld { want([id]) }
        return isKnown
    }

    /// For whom the registry keeps somebody waiting, and why: `waits for the schema registry at …: …`; nil while it does not.
    package var trouble: String? {
        state.withLock { state in state.trouble.map { "reading waits for the schema registry at \(settings.url): \($0)" } }
    }

    /// Asks once, as a run asks. Throws when the registry doesn't answer as one, or refuses the user.
    package func probe() throws {
        // No registry counts from 0; but that it says so tells that it understands, and lets this user read.
        let id = SchemaID(settings.interface == .confluent ? .schema : .global, 0)
        _ = try RegistryClient(settings).schema(id)
    }

    // MARK: - Asking

    /// Asks for schemas in the background.
    func want(_ ids: [SchemaID]) {
        let begins = state.withLock { state in
            for id in ids where state.known[id] == nil { state.wanted.insert(id) }
            guard !state.wanted.isEmpty, !state.isAsking, !state.hasEnded else { return false }
            state.isAsking = true
            return true
        }
        if begins { queue.async { self.ask() } }
    }

    /// The semaphore is raised whenever something has become known.
    func notify(_ waiter: DispatchSemaphore) { state.withLock { $0.waiters.append(waiter) } }

    func forget(_ waiter: DispatchSemaphore) { state.withLock { $0.waiters.removeAll { $0 === waiter } } }

    /// Asks nothing more.
    package func stop() { state.withLock { $0.hasEnded = true } }

    /// Asks for each schema that is wanted, once; those that the registry gave no answer for are tried again after a pause.
    private func ask() {
        var failure: RegistryError?
        for id in state.withLock({ $0.wanted }) {
            if state.withLock({ $0.hasEnded }) { return }
            do throws(RegistryError) {
                let found = try asking.schema(id)
                asking.pause = .zero
                keep(found, id)
            } catch {
                // Nobody waits for a number that was missing before.
                guard !passesOver(id) else { continue }
                failure = error
                complain(error, id)
            }
        }
        guard failure == nil else {
            asking.pause = min(max(asking.pause * 2, settings.firstPause), settings.longestPause)
            let (seconds, attoseconds) = asking.pause.components
            queue.asyncAfter(deadline: .now() + .milliseconds(Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))) {
                self.ask()
            }
            return
        }
        answered()
        let goesOn = state.withLock { state in
            state.isAsking = !state.wanted.isEmpty && !state.hasEnded
            return state.isAsking
        }
        if goesOn { queue.async { self.ask() } }
    }

    private func keep(_ found: FoundSchema, _ id: SchemaID) {
        if case .text(let text, let references) = found { tell(text, references, id) }
        if found == .missing {
            logger.error(
                "the schema registry at \(settings.url) has no schema \(id.text): records that name it are rejected as unknown_schema")
        }
        let waiters = state.withLock { state in
            state.wanted.remove(id)
            switch found {
            case .missing:
                if state.missingSince.count >= RegisteredSchemas.missingLimit { state.missingSince.removeAll() }
                state.missingSince[id] = .now
            case .text(let text, let references):
                state.missingSince[id] = nil
                state.known[id] = found
                state.knownBytes += references.reduce(text.count) { $0 + $1.count }
            case .unasked: break
            }
            return state.waiters
        }
        for waiter in waiters { waiter.signal() }
    }

    /// More schemas than any topic has.
    var isFull: Bool { state.withLock { $0.known.count >= RegisteredSchemas.schemaLimit || $0.knownBytes >= RegisteredSchemas.byteLimit } }

    private func tell(_ text: [UInt8], _ references: [[UInt8]], _ id: SchemaID) {
        do throws(AvroSchemaError) {
            _ = try AvroSchema(text, references: references)
            logger.info("schema \(id.text) is known now")
        } catch {
            logger.error(
                "schema \(id.text) of the schema registry at \(settings.url) can't be used, so that records that name it are rejected as unusable_schema: it \(error)"
            )
        }
    }

    private func passesOver(_ id: SchemaID) -> Bool {
        state.withLock { state in
            guard state.missingSince[id] != nil else { return false }
            state.missingSince[id] = .now
            state.wanted.remove(id)
            return true
        }
    }

    private func complain(_ error: RegistryError, _ id: SchemaID) {
        state.withLock { $0.trouble = "schema \(id.text): \(error)" }
        if let complained = asking.complained, ContinuousClock.now - complained < RegisteredSchemas.complaintInterval { return }
        asking.complained = .now
        logger.error("reading waits for the schema registry at \(settings.url), and goes on by itself; schema \(id.text): \(error)")
    }

    private func answered() {
        state.withLock { $0.trouble = nil }
        guard asking.complained != nil else { return }
        asking.complained = nil
        logger.notice("the schema registry at \(settings.url) answers again, and reading goes on")
    }
}

extension SchemaID {
    /// As messages name it.
    var text: String {
        switch space {
        case .schema: "\(number)"
        case .global: "\(number) (global id)"
        case .content: "\(number) (content id)"
        }
    }
}
