import Engine

extension FintechJob {
    /// The tables that processors look things up in, by what they ask for them by.
    enum ReferenceName {
        static let customers = "customers"
        static let accounts = "accounts"
        static let merchants = "merchants"
        /// By customer.
        static let sessions = "sessions"
    }

    static func references(_ settings: FintechSettings) -> [Reference] {
        [
            Reference(ReferenceName.customers, topic: settings.topicPrefix + "customers", version: 1, record: Customer.self) {
                ReferenceRowReader<CustomerRow>($0, settings.form)
            },
            Reference(ReferenceName.accounts, topic: settings.topicPrefix + "accounts", version: 2, record: Account.self) {
                ReferenceRowReader<AccountRow>($0, settings.form)
            },
            Reference(ReferenceName.merchants, topic: settings.topicPrefix + "merchants", version: 1, record: Merchant.self) {
                ReferenceRowReader<MerchantRow>($0, settings.form)
            },
            Reference(ReferenceName.sessions, topic: settings.sessionsTopic, version: 1, record: LatestSession.self) {
                LatestSessionReader($0, settings.form, maxAhead: settings.maxAhead)
            },
        ]
    }
}
