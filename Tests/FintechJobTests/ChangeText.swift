/// Changes of a row as Debezium's envelope has them, in JSON.
enum ChangeText {
    /// `before`, `after`: rows as JSON; nil for none. `position`: of the database's log.
    static func change(_ operation: String, before: String? = nil, after: String?, at position: Int? = nil) -> String {
        let source = position.map { #","source":{"connector":"postgresql","lsn":\#($0)}"# } ?? ""
        return #"{"before":\#(before ?? "null"),"after":\#(after ?? "null"),"op":"\#(operation)"\#(source)}"#
    }

    /// A transaction of merchant `m` over 1.00.
    static func transaction(_ id: String, _ status: String, at milliseconds: Int64 = 0, of customer: String = "c", amount: String = "1.00")
        -> String
    {
        #"{"id":"\#(id)","customer_id":"\#(customer)","amount":"\#(amount)","created_at":\#(milliseconds),"transaction_type":"t","status":"\#(status)","merchant_id":"m"}"#
    }

    static func created(_ id: String, _ status: String, at milliseconds: Int64 = 0, of customer: String = "c", amount: String = "1.00")
        -> String
    {
        change("c", after: transaction(id, status, at: milliseconds, of: customer, amount: amount))
    }

    static func updated(_ id: String, _ before: String, _ after: String, at milliseconds: Int64 = 0, position: Int? = nil) -> String {
        change("u", before: transaction(id, before, at: milliseconds), after: transaction(id, after, at: milliseconds), at: position)
    }

    /// A session with 7 actions once it has ended.
    static func session(_ id: String, _ start: Int64, _ end: Int64?, of customer: String = "c") -> String {
        #"{"id":"\#(id)","customer_id":"\#(customer)","started_at":\#(start),"ended_at":\#(end.map(String.init) ?? "null"),"actions_count":\#(end == nil ? 0 : 7)}"#
    }
}
