/// What a start has to tell, for the log and whoever measures.
package enum StartRemark {
    /// Opening the state changed this in its tables.
    case changed(String)
    /// The archive can't be asked whose the job is; the start goes on without.
    case unasked(any Error)
    /// No checkpoint knows these tables: rows for them wait for the next one.
    case waitsForCheckpoint(tables: [String])
    /// That the state supersedes none any more could not be noted: the next start does it again.
    case supersessionNotNoted(any Failure)
    case hasGrown(topic: String, from: Int, to: Int)
    /// What was delivered after the restored checkpoint is rolled back before anything else.
    case rollsBack
    /// This checkpoint is damaged; an earlier one is looked for.
    case damaged(RestorableCheckpoint, any Error)
    case restores(RestorableCheckpoint)
    case restored(RestorableCheckpoint)
}
