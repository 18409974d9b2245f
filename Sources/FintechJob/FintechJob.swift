import Engine

/// The fintech analytics job: from Debezium's change topics to tables of metrics.
public enum FintechJob {
    /// Counted up with every change of what the job stores or computes.
    public static let version = 3

    /// Versions before this one took flat records that don't say what was done to their rows for inserts.
    public static let firstVersionOfStatedOperations = 3

    /// The job as the engine runs it.
    public static func topology(settings: FintechSettings) -> Topology {
        Topology(
            job: settings.job, version: version,
            stages: transactionStages(settings) + [
                Stage("sessions", topic: settings.sessionsTopic) { setup in
                    setup.decode(with: SessionDecoder(maxAhead: settings.maxAhead, form: settings.form))
                        .outOfOrderness(settings.outOfOrderness)
                        .rejectingAhead(by: settings.maxAhead)
                        .rejecting(topic: settings.sessionsTopic)
                        .window(CustomerSessionMetrics.span, CustomerSessionMetrics(rows: setup.rows(of: CustomerSessionMetrics.table)))
                },
                Stage(MerchantPerformance.stage, partitions: MerchantPerformance.partitions) { setup in
                    setup.decode(with: MerchantPartialDecoder()).window(MerchantPerformance.span, MerchantPerformance(setup))
                },
            ],
            references: references(settings), views: views, fixedSettings: ["input.keyedBy": settings.keyedBy.rawValue]
        )
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
            Stage(customerPlaces, partitions: 1) { setup in
                setup.watchPlacement("customer_places") { customer, first, second in
                    "customer \(customer) is in partitions \(first) and \(second) of topic \(settings.transactionsTopic): it is not keyed by customer_id, as input.keyedBy says, so that one customer is counted as several. Set input.keyedBy: id and start anew with an empty state directory and new tables, or key the topic by customer_id (Debezium: message.key.columns) with one partitioner for all producers"
                }
            },
        ]
    }

    /// Transactions go on to their customers' tasks first.
    private static func rekeyedStages(_ settings: FintechSettings) -> [Stage] {
        [
            Stage(transactions, topic: settings.transactionsTopic) { setup in
                readTransactions(setup, settings).forwarding(to: customers, TransactionForwarding())
            },
            Stage(customers, partitions: customerPartitions) { setup in
                setup.decode(with: ForwardedTransactionDecoder())
                    .receivingForwarded(from: transactions, topic: settings.transactionsTopic)
                    .processedByCustomer(setup, settings)
            },
        ]
    }

    static let transactions: StageName = "transactions"
    static let customers: StageName = "customers"
    static let customerPlaces: StageName = "customer_places"

    /// How many tasks re-keyed transactions are spread over. Kept in the state from the first start on, so another number
    /// is refused there: enough for every core of one machine.
    static let customerPartitions = 8

    private static func readTransactions(_ setup: TaskSetup, _ settings: FintechSettings) -> StageTask<TransactionDecoder> {
        setup.decode(with: TransactionDecoder(
            maxAhead: settings.maxAhead, form: settings.form, remarks: setup.remarks, remembering: setup.records("transaction_decimals", version: 1, placement: .copied)
        ))
            .outOfOrderness(settings.outOfOrderness)
            .rejectingAhead(by: settings.maxAhead)
            .rejecting(topic: settings.transactionsTopic)
            .droppingRepeated("transaction_ids", version: 1, horizon: settings.deduplicationHorizon) { $0.id }
    }
}

extension StageTask where Decoder.Event == Transaction {
    /// Adds the processors that look at transactions by customer.
    fileprivate func processedByCustomer(_ setup: TaskSetup, _ settings: FintechSettings) -> StageTask {
        window(CustomerTransactionMetrics.span, CustomerTransactionMetrics(rows: setup.rows(of: CustomerTransactionMetrics.table)))
            .process(FraudDetection(
                alertThreshold: settings.alertThreshold, accounts: setup.reference(FintechJob.ReferenceName.accounts), remarks: setup.remarks,
                rows: setup.rows(of: FraudAlertWriter.table)
            ))
            .process(CustomerLifecycle(
                churnAfter: settings.churnAfter, customers: setup.reference(FintechJob.ReferenceName.customers),
                sessions: setup.reference(FintechJob.ReferenceName.sessions), rows: setup.rows(of: LifecycleRowWriter.table)
            ))
            .window(MerchantPerformance.span, MerchantPartials(setup))
    }
}
