import Engine

/// What can be set about the fintech job.
package struct FintechSettings: Sendable {
    /// The job's name, which leads every stored and written row's provenance.
    package var job = "fintech"
    /// What the names of all input topics start with.
    package var topicPrefix = "fintech.public."
    /// How far records may come out of order by event time before they are late.
    package var outOfOrderness = EventSpan.seconds(5)
    /// How far a record's times may lie after its Kafka timestamp, and its own time after the worker's clock, before they count as wrong;
    /// nil for any time, as of a future that is replayed.
    package var maxAhead: EventSpan? = .hours(1)
    /// How records are written.
    package var form = InputForm()
    /// What the transactions' topic is keyed by.
    package var keyedBy = Keying.customerID
    /// What the sessions' topic is keyed by; nil for the same as the transactions', and over a state for what that was built with.
    package var sessionsKeyedBy: Keying?
    /// How long by event time the id of a transaction, or a session, is remembered, so that it counts once; nil to count whatever comes.
    package var deduplicationHorizon: EventSpan?

    /// An update that changes a transaction's status moves the counts of its open windows.
    package var statusUpdates = false
    /// A session counts when it has ended, not when it began.
    package var sessionsWhenEnded = false

    /// What a topic is keyed by; the raw values are the configuration's and are stored.
    package enum Keying: String, Sendable {
        case customerID = "customer_id"
        /// By the row's own id, or by anything else.
        case id
    }

    /// The score from which a transaction becomes a fraud alert, 0 to 100.
    package var alertThreshold = 60
    /// How long after the latest transaction a customer counts as lost.
    package var churnAfter = EventSpan.days(30)

    package init() {}

    /// How long ids of sessions are remembered. One that counts when it has ended may be updated after that, so it is always told again.
    var sessionHorizon: EventSpan? { deduplicationHorizon ?? (sessionsWhenEnded ? FintechSettings.endedSessionHorizon : nil) }
    private static let endedSessionHorizon = EventSpan.hours(24)

    var transactionsTopic: String { topicPrefix + "transactions" }
    var sessionsTopic: String { topicPrefix + "customer_sessions" }
}
