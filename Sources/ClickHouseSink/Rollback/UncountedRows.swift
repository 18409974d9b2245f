import Engine

/// The rows of a job's earlier lineages that its state does not count.
struct UncountedRows {
    /// An SQL condition that holds for them and no others.
    let condition: String
    /// The rows as the statement deletes them, for messages and for the server.
    let deletion: String

    /// - Parameter ends: what counts of the earlier lineages; of those that are not listed, nothing does.
    init(task: String, before lineage: Lineage, ends: [LineageEnd], quotedName: String) {
        let counted = ends.compactMap { end in end.lastBatch.map { "(_lineage = \(end.lineage) AND _batch <= \($0))" } }
        let earlier = "_task = \(SQLText.string(task)) AND _lineage < \(lineage)"
        condition = counted.isEmpty ? earlier : "\(earlier) AND NOT (\(counted.joined(separator: " OR ")))"
        deletion = "ALTER TABLE \(quotedName) DELETE WHERE \(condition)"
    }
}
