import Engine

/// The fintech analytics job: from Debezium's change topics to tables of metrics.
public enum FintechJob {
    /// Counted up with every change of what the job stores or computes.
    public static let version = 1

    /// The job as the engine runs it, one stage for each stream.
    public static func topology(settings: FintechSettings) -> Topology {
        Topology(job: settings.job, version: version, stages: [
            Stage("transactions", topic: settings.transactionsTopic) { setup in
                setup.decode(with: TransactionDecoder(maxAhead: settings.maxAhead))
                    .outOfOrderness(settings.outOfOrderness)
                    .rejecting(topic: settings.transactionsTopic)
                    .window(CustomerTransactionMetrics.span, CustomerTransactionMetrics(rows: setup.rows(of: CustomerTransactionMetrics.table)))
                    .process(FraudDetection(
                        alertThreshold: settings.alertThreshold, accounts: setup.reference(ReferenceName.accounts),
                        rows: setup.rows(of: FraudAlertWriter.table)
                    ))
                    .process(CustomerLifecycle(
                        churnAfter: settings.churnAfter, customers: setup.reference(ReferenceName.customers),
                        sessions: setup.reference(ReferenceName.sessions), rows: setup.rows(of: LifecycleRowWriter.table)
                    ))
                    .window(MerchantPerformance.span, MerchantPartials(setup))
            },
            Stage("sessions", topic: settings.sessionsTopic) { setup in
                setup.decode(with: SessionDecoder(maxAhead: settings.maxAhead))
                    .outOfOrderness(settings.outOfOrderness)
                    .rejecting(topic: settings.sessionsTopic)
                    .window(CustomerSessionMetrics.span, CustomerSessionMetrics(rows: setup.rows(of: CustomerSessionMetrics.table)))
            },
            Stage(MerchantPerformance.stage, partitions: MerchantPerformance.partitions) { setup in
                setup.decode(with: MerchantPartialDecoder()).window(MerchantPerformance.span, MerchantPerformance(setup))
            },
        ], references: references(settings), views: views)
    }
}
