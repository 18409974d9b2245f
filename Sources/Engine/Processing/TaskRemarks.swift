/// Where a task's decoder and processors say what is to be known of records that were used all the same, such as a rule that could
/// not be judged. Counted by reason; shown on the status page and in the metrics. Ask for it with `TaskSetup.remarks`.
public final class TaskRemarks {
    private var counts: ReasonCounts?

    public init() {}

    /// `offset`: of the record, where it is at hand.
    public func add(_ remark: Rejection, at offset: Int64? = nil) {
        if counts == nil { counts = ReasonCounts() }
        counts?.add(remark, at: offset)
    }

    /// What was added since the last call.
    func take() -> ReasonCounts? {
        guard counts != nil else { return nil }
        defer { counts = nil }
        return counts
    }
}
