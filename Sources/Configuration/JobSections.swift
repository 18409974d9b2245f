import Engine

/// `time`: how event time moves.
package struct TimeSection: Sendable {
    /// `time.outOfOrderness`: how far the watermark stays behind the greatest time seen.
    package var outOfOrderness = EventSpan.seconds(5)
    /// `time.idleAfter`: how long a partition must have been quiet at its end before it stops holding others back.
    package var idleAfter: Duration = .seconds(30)
    /// `time.maxAhead`: how far a record's own time may be ahead of the time that Kafka gave it, and of the worker's clock; nil for `off`.
    package var maxAhead: EventSpan? = .hours(1)

    init(_ reader: inout SettingsReader) {
        outOfOrderness = reader.span("time.outOfOrderness", default: outOfOrderness, from: "0s", to: "30d")
        idleAfter = reader.duration("time.idleAfter", default: idleAfter, from: "10ms", to: "30d")
        maxAhead = reader.optionalSpan("time.maxAhead", default: maxAhead, from: "0s", to: "365d")
    }
}

/// `fraud` and `lifecycle`: settings of the fintech job's processors.
package struct FintechSection: Sendable {
    /// `fraud.alertThreshold`: the score from which a transaction becomes an alert, 0 to 100.
    package var alertThreshold = 60
    /// `lifecycle.churnAfter`: how long after the latest transaction a customer counts as lost.
    package var churnAfter = EventSpan.days(30)

    init(_ reader: inout SettingsReader) {
        alertThreshold = reader.integer("fraud.alertThreshold", default: alertThreshold, in: 0...100)
        churnAfter = reader.span("lifecycle.churnAfter", default: churnAfter, from: "1s", to: "36500d")
    }
}
