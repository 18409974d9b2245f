import Engine

/// The session that is held for a customer: of those that came, the one that began last.
struct LatestSession: StateRecord {
    var id = TextField()
    var startedAt = EventTime.distantPast
    /// Empty when the row names none.
    var channel = TextField()
    /// Empty when the row names none.
    var deviceType = TextField()
    var actions: UInt64 = 0

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("id", &id)
        visit.field("startedAt", &startedAt)
        visit.field("channel", &channel)
        visit.field("deviceType", &deviceType)
        visit.field("actions", &actions)
    }

    mutating func reset() {
        id.clear()
        startedAt = .distantPast
        channel.clear()
        deviceType.clear()
        actions = 0
    }
}
