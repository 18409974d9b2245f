/// Runs a `KeyedProcessor` in a task.
@usableFromInline package final class KeyedProcessorRunner<Processor: KeyedProcessor>: EventProcessor {
    @usableFromInline package typealias Event = Processor.Event

    @usableFromInline var processor: Processor
    @usableFromInline let state: KeyedState<Processor.Record>
    @usableFromInline var watermark = EventTime.distantPast

    @inlinable
    package init(_ processor: Processor, task: TaskID, cold: any ColdStateReader) {
        self.processor = processor
        let declaration = StateDeclaration(
            table: Processor.name, version: Processor.version, key: .key, hasTimer: true, evolution: Processor.evolution,
            placement: Processor.placement, record: Processor.Record.self
        )
        state = KeyedState(declaration, task: task, cold: cold)
    }

    @usableFromInline package var stateTables: [any StateTable] { [state] }
    @usableFromInline package var lastOpenWindowEnd: EventTime? { nil }

    @inlinable
    package func process(_ events: UnsafeMutableBufferPointer<TimedEvent<Event>>) throws {
        for index in events.indices {
            if !events[index].isAmendment, let key = processor.key(of: events[index].event) {
                try state.update(key) { keyed in
                    processor.process(events[index].event, at: events[index].time, key: key, state: &keyed)
                }
            }
            watermark = events[index].watermark
            if watermark >= state.nextTimer { try fire() }
        }
    }

    @inlinable
    package func advance(to watermark: EventTime, firingTimers: Bool) throws {
        guard watermark > self.watermark else { return }
        self.watermark = watermark
        if firingTimers && watermark >= state.nextTimer { try fire() }
    }

    @usableFromInline package func resume(at watermark: EventTime) { self.watermark = watermark }

    @inlinable
    func fire() throws {
        try state.fireTimers(through: watermark) { time, key, keyed in
            processor.timerFired(at: time, key: key, state: &keyed)
        }
    }
}
