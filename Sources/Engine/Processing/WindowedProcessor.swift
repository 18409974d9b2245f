/// Runs a `WindowedAggregate` in a task.
@usableFromInline package final class WindowedProcessor<Aggregate: WindowedAggregate>: EventProcessor {
    @usableFromInline package typealias Event = Aggregate.Event

    @usableFromInline var aggregate: Aggregate
    @usableFromInline let state: WindowedState<Aggregate.Record>
    @usableFromInline var watermark = EventTime.distantPast
    /// The end of the earliest open window: nothing closes before it.
    @usableFromInline var nextClose = EventTime.distantFuture

    @inlinable
    package init(_ aggregate: Aggregate, span: EventSpan, task: TaskID, cold: any ColdStateReader) {
        self.aggregate = aggregate
        let declaration = StateDeclaration(
            table: Aggregate.name, version: Aggregate.version, key: .windowAndKey, span: span, evolution: Aggregate.evolution,
            placement: Aggregate.placement, record: Aggregate.Record.self
        )
        state = WindowedState(declaration, task: task, cold: cold)
    }

    @usableFromInline package var stateTables: [any StateTable] { [state] }

    @usableFromInline package var lastOpenWindowEnd: EventTime? { state.lastOpenWindowEnd }

    @inlinable
    package func process(_ events: UnsafeMutableBufferPointer<TimedEvent<Event>>) throws {
        for index in events.indices {
            let time = events[index].time
            if let key = aggregate.key(of: events[index].event) {
                let window = Window(containing: time, span: state.span)
                if window.end <= watermark {
                    events[index].isLate = true
                } else if events[index].isAmendment {
                    let isThere = try state.amend(key, in: window) { record in
                        aggregate.amend(events[index].event, to: &record)
                    }
                    if !isThere { events[index].hasNoRecord = true }
                } else {
                    try state.update(key, in: window) { record in
                        aggregate.add(events[index].event, at: time, to: &record)
                    }
                    if window.end < nextClose { nextClose = window.end }
                }
            }
            watermark = events[index].watermark
            if watermark >= nextClose { try close() }
        }
    }

    @inlinable
    package func advance(to watermark: EventTime, firingTimers: Bool) throws {
        guard watermark > self.watermark else { return }
        self.watermark = watermark
        if watermark >= nextClose { try close() }
    }

    @inlinable
    package func resume(at watermark: EventTime) throws {
        self.watermark = watermark
        nextClose = state.firstOpenWindowEnd ?? .distantFuture
        if watermark >= nextClose { try close() }
    }

    @inlinable
    func close() throws {
        try state.close(through: watermark) { window, key, record in
            aggregate.close(window, key: key, record: &record)
        }
        nextClose = state.firstOpenWindowEnd ?? .distantFuture
    }
}
