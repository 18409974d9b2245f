/// The parameters of an INSERT's URL: the batch's name and what keeps it one unit, where the server knows it.
struct InsertParameters {
    let settings: ClickHouseSettings
    let dialect: ServerDialect

    /// More than any batch has rows, so that none is split on the server.
    private static let blockRows = "1048576"

    /// A batch under its own name, the same at every attempt.
    /// The token names the state as well: servers remember tokens of rows that were deleted since, and would drop the
    /// batches of a job that begins again with an empty state, acknowledging each.
    func delivery(_ name: BatchName, stateIdentity: String) -> [(name: String, value: String)] {
        let token = stateIdentity.isEmpty ? name.queryID : "\(name.queryID)/\(stateIdentity)"
        return common(queryID: name.queryID) + known([("insert_deduplication_token", token)])
    }

    /// Missing rows of a batch: under a name of its own, and never taken for the batch that landed before.
    func resend(_ name: BatchName) -> [(name: String, value: String)] {
        common(queryID: name.resendQueryID) + known([("insert_deduplicate", "0"), ("deduplicate_insert", "disable")])
    }

    private func common(queryID: String) -> [(name: String, value: String)] {
        [("query_id", queryID), ("wait_end_of_query", "1")]
            + known([
                ("async_insert", "0"),
                ("http_receive_timeout", "\(max(1, settings.resolveDelay.components.seconds / 2))"),
                ("max_insert_block_size", InsertParameters.blockRows),
                ("max_insert_block_size_bytes", "0"),
            ])
    }

    private func known(_ parameters: [(name: String, value: String)]) -> [(name: String, value: String)] {
        parameters.filter { dialect.settings.contains($0.name) }
    }
}
