/// What a table is on the server, and what somebody should know of it.
struct InspectedTable {
    /// What it can take; or why it can't take the job's rows.
    let layout: Result<TableLayout, SinkError>
    /// What is wrong, each with what to do.
    let problems: [String]
    /// What keeps no row out, each with what can be done.
    let notices: [String]
}
