/// How a sink's table is partitioned by its time column (in UTC), so that one batch lies in one partition.
public enum RowPartitioning: String, Hashable, Sendable {
    case none, month, week, day

    /// The partition that a row of this time belongs to: 0 without partitions, else a number that differs between
    /// partitions (yyyymm for months, yyyymmdd of the day or of the week's Monday).
    public func partition(of time: EventTime) -> Int32 {
        let day = time.milliseconds.floorDivided(by: 86_400_000)
        switch self {
        case .none: return 0
        case .month: return CivilDate(daysSince1970: day).yyyymmdd / 100
        case .week: return CivilDate(daysSince1970: day - (day + 3).floorRemainder(by: 7)).yyyymmdd
        case .day: return CivilDate(daysSince1970: day).yyyymmdd
        }
    }
}
