import Engine

/// What is kept of a customer's sessions in one window.
struct CustomerSessionTotals: StateRecord {
    var count: UInt64 = 0
    var actions: Int128 = 0
    /// How many sessions have an end, and how long those took in milliseconds.
    var ended: UInt64 = 0
    var duration: Int128 = 0
    var firstAt = EventTime.distantFuture
    var lastAt = EventTime.distantPast
    /// Of the session with the greatest start, of a tie the greatest id.
    var latestID = TextField()
    var latestSessionID = TextField()
    var channel = TextField()
    var deviceType = TextField()

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("count", &count)
        visit.field("actions", &actions)
        visit.field("ended", &ended)
        visit.field("duration", &duration)
        visit.field("firstAt", &firstAt)
        visit.field("lastAt", &lastAt)
        visit.field("latestID", &latestID)
        visit.field("latestSessionID", &latestSessionID)
        visit.field("channel", &channel)
        visit.field("deviceType", &deviceType)
    }

    mutating func reset() {
        (count, actions, ended, duration) = (0, 0, 0, 0)
        (firstAt, lastAt) = (.distantFuture, .distantPast)
        latestID.clear()
        latestSessionID.clear()
        channel.clear()
        deviceType.clear()
    }

    /// Actions are 64-bit counts, durations differences of times.
    var isSound: Bool {
        count > 0 && SoundTotals.areCounts(count, ended) && actions >= 0 && actions <= Int128(count) << 64
            && duration.magnitude <= UInt128(ended) << 64
    }

    mutating func add(_ session: Session) {
        count += 1
        actions += Int128(session.actions)
        if let endedAt = session.endedAt {
            ended += 1
            duration += Int128(endedAt.milliseconds) - Int128(session.startedAt.milliseconds)
        }
        firstAt = min(firstAt, session.startedAt)
        guard session.startedAt > lastAt || (session.startedAt == lastAt && latestID.view < session.id) else { return }
        lastAt = session.startedAt
        latestID.set(session.id)
        latestSessionID.set(session.sessionID)
        channel.set(session.channel)
        deviceType.set(session.deviceType)
    }
}
