/// What a topic's records tell beside what the job counts of them: in which form they are, whose their keys are, and how their times
/// lie to the log's.
package struct InputSigns: Sendable {
    /// How many records showed something, and where the last of them is.
    package struct Sign: Sendable {
        package private(set) var count = 0
        package private(set) var partition = 0
        package private(set) var offset: Int64 = 0

        mutating func note(_ partition: Int, _ offset: Int64) {
            count += 1
            self.partition = partition
            self.offset = offset
        }
    }

    package init() {}

    /// Records that were looked at.
    package internal(set) var records = 0
    /// Of these, those with a key.
    package internal(set) var keys = 0
    /// Keys that a string converter printed (`Struct{id=…}`).
    package internal(set) var printedKeys = Sign()
    /// Values in a form that nothing here reads, by its name.
    package internal(set) var foreignForms: [String: Sign] = [:]
    /// Keys that could be compared with the row's customer.
    package internal(set) var comparedKeys = 0
    /// Of these, those that are not the customer's alone.
    package internal(set) var keysOfOthers = Sign()
    /// By how many minutes the rows' own times are ahead of the log's, in steps of half an hour: of inserts whose times lie no more
    /// than `zoneDelay` before such a step.
    var minutesAhead: [Int: Sign] = [:]
    /// Inserts whose times lie anywhere else.
    var otherTimes = 0

    /// How long after a row's own time its record may have been written, in milliseconds, and how long before.
    static let zoneDelay: Int64 = 120_000
    static let zoneLead: Int64 = 5_000
    /// Fewer inserts say nothing.
    private static let leastInserts = 5
    /// No zone's clocks are further from UTC, in minutes.
    private static let furthestZone = 14 * 60

    /// By how many minutes all inserts' times are ahead of the log's (behind, when it is negative), as those of clocks in another zone
    /// are; nil when they are not.
    package var zone: (minutes: Int, sign: Sign)? {
        guard otherTimes == 0, minutesAhead.count == 1, let found = minutesAhead.first, found.value.count >= InputSigns.leastInserts else {
            return nil
        }
        guard found.key != 0, abs(found.key) <= InputSigns.furthestZone else { return nil }
        return (found.key, found.value)
    }
}
