import Engine

/// What a start would find of one of a job's tables.
public struct TableReport: Sendable {
    public enum Standing: Sendable {
        /// It can take the job's rows, in batches cut so.
        case fits(RowPartitioning)
        /// There is no such table.
        case absent
        /// Why the job can't start with it.
        case unfit(SinkError)
    }

    public let table: String
    public let standing: Standing
    /// What is wrong with the table itself, each with what to do; empty when it fits, or when something else keeps the job out.
    public let problems: [String]
    /// What keeps no row out, each with what can be done.
    public let notices: [String]

    public var isUnfit: Bool { if case .unfit = standing { true } else { false } }

    /// What has to be done before the job can start with the table, a line each.
    public var lines: [String] {
        guard case .unfit(let error) = standing else { return [] }
        return problems.isEmpty ? [error.description] : problems
    }
}
