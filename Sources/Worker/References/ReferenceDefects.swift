import Engine

/// What could not be used of a reference topic since the process began, by reason and field, and where that was met last.
struct ReferenceDefects {
    private var defects: [Rejection: WorkerStatus.ReferenceDefect] = [:]

    /// By reason and field.
    var all: [WorkerStatus.ReferenceDefect] {
        defects.sorted { $0.key.description < $1.key.description }.map(\.value)
    }

    /// True for the first of its reason and field.
    mutating func note(_ rejection: Rejection, partition: Int, offset: Int64) -> Bool {
        let isFirst = defects[rejection] == nil
        var defect = defects[rejection] ?? WorkerStatus.ReferenceDefect(reason: "\(rejection.reason)", field: rejection.field.map { "\($0)" })
        defect.count += 1
        defect.lastPartition = partition
        defect.lastOffset = offset
        defects[rejection] = defect
        return isFirst
    }
}
