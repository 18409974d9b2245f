import Engine

/// The fintech analytics job: from Debezium's change topics to tables of metrics.
package enum FintechJob {
    /// Counted up with every change of what the job stores or computes.
    package static let version = 3

    /// Versions before this one took flat records that don't say what was done to their rows for inserts.
    package static let firstVersionOfStatedOperations = 3

    /// The job as the engine runs it. `fixed`: the settings that the state was built with which it goes on from; nil where it begins one.
    package static func topology(settings: FintechSettings, over fixed: [String: String]? = nil) -> Topology {
        let sessionsKeyedBy = settings.sessionsKeyedBy ?? sessionsKeying(of: settings, over: fixed)
        return Topology(
            job: settings.job, version: version,
            stages: transactionStages(settings) + sessionStages(settings, keyedBy: sessionsKeyedBy) + [
                Stage(MerchantPerformance.stage, partitions: MerchantPerformance.partitions) { setup in
                    setup.decode(with: MerchantPartialDecoder()).window(MerchantPerformance.span, MerchantPerformance(setup))
                }
            ],
            references: references(settings), views: views,
            fixedSettings: [
                Fixed.keyedBy: settings.keyedBy.rawValue, Fixed.sessionsKeyedBy: sessionsKeyedBy.rawValue,
                Fixed.sessionsWhenEnded: String(settings.sessionsWhenEnded),
            ],
            settingsOfEarlierStates: earlierSettings
        )
    }

    /// The names of settings that a state is built on, as they are stored.
    private enum Fixed {
        static let keyedBy = "input.keyedBy"
        static let sessionsKeyedBy = "input.sessions.keyedBy"
        static let sessionsWhenEnded = "input.sessionsWhenEnded"
    }

    /// What states were built with before version 3 of the job.
    private static let earlierSettings = [
        Fixed.sessionsKeyedBy: FintechSettings.Keying.customerID.rawValue, Fixed.sessionsWhenEnded: "false",
    ]

    private static func sessionsKeying(of settings: FintechSettings, over fixed: [String: String]?) -> FintechSettings.Keying {
        guard let fixed else { return settings.keyedBy }
        return (fixed[Fixed.sessionsKeyedBy] ?? earlierSettings[Fixed.sessionsKeyedBy]).flatMap { FintechSettings.Keying(rawValue: $0) }
            ?? settings.keyedBy
    }

    private static func transactionStages(_ settings: FintechSettings) -> [Stage] {
        switch settings.keyedBy {
        case .customerID: customerKeyedStages(settings)
        case .id: rekeyedStages(settings)
        }
    }

    /// What is looked at by customer runs where the transactions are read.
    private static func customerKeyedStages(_ settings: FintechSettings) -> [Stage] {
        [
            Stage(transactions, topic: settings.transactionsTopic) { setup in
                readTransactions(setup, settings)
                    .reportingPlacement(to: customerPlaces) { $0.customerID }
                    .processedByCustomer(setup, settings)
            },
            watch(customerPlaces, of: settings.transactionsTopic, Fixed.keyedBy),
        ]
    }

    /// Transactions go on to their customers' tasks first.
    private static func rekeyedStages(_ settings: FintechSettings) -> [Stage] {
        [
            Stage(transactions, topic: settings.transactionsTopic) { setup in
                readTransactions(setup, settings).keyBy(TransactionKeyBy(), to: customers)
            },
            Stage(customers, partitions: customerPartitions) { setup in
                setup.decode(with: KeyedTransactionDecoder())
                    .receivingKeyed(from: transactions, topic: settings.transactionsTopic)
                    .processedByCustomer(setup, settings)
            },
        ]
    }

    /// The stage that is told in which partitions of a topic customers were met, and stops the job at one that is in two.
    private static func watch(_ stage: StageName, of topic: String, _ setting: String) -> Stage {
        Stage(stage, partitions: 1) { setup in
            setup.watchPlacement(stage.text) { customer, first, second in
                "customer \(customer) is in partitions \(first) and \(second) of topic \(topic): it is not keyed by customer_id, as \(setting) says, so that one customer is counted as several. Set \(setting): id and start anew with an empty state directory, another checkpoints.store and new tables, or key the topic by customer_id (Debezium: message.key.columns) with one partitioner for all producers"
            }
        }
    }

    private static func sessionStages(_ settings: FintechSettings, keyedBy: FintechSettings.Keying) -> [Stage] {
        switch keyedBy {
        case .customerID:
            [
                Stage(sessions, topic: settings.sessionsTopic) { setup in
                    readSessions(setup, settings).reportingPlacement(to: sessionPlaces) { $0.customerID }.addedUpByCustomer(setup)
                },
                watch(sessionPlaces, of: settings.sessionsTopic, Fixed.sessionsKeyedBy),
            ]
        case .id:
            [
                Stage(sessions, topic: settings.sessionsTopic) { setup in
                    readSessions(setup, settings).keyBy(SessionKeyBy(), to: sessionCustomers)
                },
                Stage(sessionCustomers, partitions: customerPartitions) { setup in
                    setup.decode(with: KeyedSessionDecoder(countsWhenEnded: settings.sessionsWhenEnded))
                        .receivingKeyed(from: sessions, topic: settings.sessionsTopic)
                        .addedUpByCustomer(setup)
                },
            ]
        }
    }

    static let transactions: StageName = "transactions"
    static let customers: StageName = "customers"
    static let customerPlaces: StageName = "customer_places"
    static let sessions: StageName = "sessions"
    static let sessionCustomers: StageName = "session_customers"
    static let sessionPlaces: StageName = "session_places"

    /// How many tasks re-keyed transactions, or sessions, are spread over. Kept in the state from the first start on, so another number
    /// is refused there: enough for every core of one machine.
    static let customerPartitions = 8

    private static func readTransactions(_ setup: TaskSetup, _ settings: FintechSettings) -> StageTask<TransactionDecoder> {
        setup.decode(
            with: TransactionDecoder(
                maxAhead: settings.maxAhead, form: settings.form, takesStatusUpdates: settings.statusUpdates, remarks: setup.remarks,
                remembering: setup.records("transaction_decimals", version: 1, placement: .copied)
            )
        )
        .outOfOrderness(settings.outOfOrderness)
        .rejectingAhead(by: settings.maxAhead)
        .rejecting(topic: settings.transactionsTopic)
        .deduplicating("transaction_ids", version: 1, horizon: settings.deduplicationHorizon) { $0.id }
    }

    private static func readSessions(_ setup: TaskSetup, _ settings: FintechSettings) -> StageTask<SessionDecoder> {
        let decoder = SessionDecoder(
            maxAhead: settings.maxAhead, form: settings.form, countsWhenEnded: settings.sessionsWhenEnded, remarks: setup.remarks
        )
        return setup.decode(with: decoder)
            .outOfOrderness(settings.outOfOrderness)
            .rejectingAhead(by: settings.maxAhead)
            .rejecting(topic: settings.sessionsTopic)
            .deduplicating("session_ids", version: 1, horizon: settings.sessionHorizon) { $0.id }
    }
}

extension StageTask where Decoder.Event == Session {
    /// Adds the processor that looks at sessions by customer.
    fileprivate func addedUpByCustomer(_ setup: TaskSetup) -> StageTask {
        window(CustomerSessionMetrics.span, CustomerSessionMetrics(rows: setup.rows(of: CustomerSessionMetrics.table)))
    }
}

extension StageTask where Decoder.Event == Transaction {
    /// Adds the processors that look at transactions by customer.
    fileprivate func processedByCustomer(_ setup: TaskSetup, _ settings: FintechSettings) -> StageTask {
        amending(by: StatusFollowing(setup), notesEvents: settings.statusUpdates)
            .window(CustomerTransactionMetrics.span, CustomerTransactionMetrics(rows: setup.rows(of: CustomerTransactionMetrics.table)))
            .process(
                FraudDetection(
                    alertThreshold: settings.alertThreshold, accounts: setup.reference(FintechJob.ReferenceName.accounts),
                    remarks: setup.remarks,
                    rows: setup.rows(of: FraudAlertWriter.table)
                )
            )
            .process(
                CustomerLifecycle(
                    churnAfter: settings.churnAfter, customers: setup.reference(FintechJob.ReferenceName.customers),
                    sessions: setup.reference(FintechJob.ReferenceName.sessions), rows: setup.rows(of: LifecycleRowWriter.table)
                )
            )
            .window(MerchantPerformance.span, MerchantPartials(setup))
    }
}
