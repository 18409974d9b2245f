import Engine

/// A customer's session as the processors see it; texts that are absent are null views.
package struct Session: BitwiseCopyable {
    package var id: ByteView
    package var customerID: ByteView
    package var startedAt: EventTime
    /// nil while the session has no end.
    package var endedAt: EventTime?
    package var sessionID: ByteView
    package var channel: ByteView
    package var deviceType: ByteView
    package var actions: UInt64

    /// When it counts: at its end, nil while it has none, or at its start.
    func time(whenEnded: Bool) -> EventTime? { whenEnded ? endedAt : startedAt }
}
