import Engine

/// What a delivery goes by: Engine's `BatchDelivery`, or a broken one that a test puts in its place.
package protocol DeliveryRules {
    var step: BatchDelivery.Step { get }
    mutating func sent(_ result: BatchDelivery.SendResult)
    mutating func becameQuiet()
    mutating func counted(_ rows: Int)
}

extension BatchDelivery: DeliveryRules {}

/// One batch on its way: performs the steps of its rules against the sink, in virtual time.
final class SimulatedDelivery {
    enum End {
        case delivered
        /// Nobody says whose the job is: what became of the batch is to be found out when somebody does.
        case held
        case stopped(found: Int)
    }

    private let batch: SinkBatch
    /// What its rows are read as.
    private let layout: OutputTable
    private var rules: any DeliveryRules
    private let sink: SimulatedSink
    private let time: VirtualTime
    private let isAlive: () -> Bool
    private let isHeld: () -> Bool
    private let willSend: (SinkBatch) -> Void
    private let ended: (End) -> Void

    /// How often the sink is asked about something that it does not answer or that is not over.
    private static let askAgain = Duration.milliseconds(700)

    init(
        _ batch: SinkBatch, as layout: OutputTable, rules: any DeliveryRules, sink: SimulatedSink, time: VirtualTime,
        isAlive: @escaping () -> Bool, isHeld: @escaping () -> Bool, willSend: @escaping (SinkBatch) -> Void, ended: @escaping (End) -> Void
    ) {
        self.batch = batch
        self.layout = layout
        self.rules = rules
        self.sink = sink
        self.time = time
        self.isAlive = isAlive
        self.isHeld = isHeld
        self.willSend = willSend
        self.ended = ended
    }

    func proceed() {
        guard isAlive() else { return }
        if isHeld() { return ended(.held) }
        switch rules.step {
        case .send:
            willSend(batch)
            sink.send(batch, as: layout) { [self] result in
                rules.sent(result)
                proceed()
            }
        case .awaitQuiet: awaitQuiet(since: time.now)
        case .count:
            guard let found = sink.count(batch.id) else { return time.after(SimulatedDelivery.askAgain) { [self] in proceed() } }
            rules.counted(found)
            proceed()
        case .done: ended(.delivered)
        case .stop(let found): ended(.stopped(found: found))
        }
    }

    /// Waits until the sink has not shown the batch for the whole resolve delay; not knowing starts it anew.
    private func awaitQuiet(since quiet: Duration) {
        guard isAlive() else { return }
        if isHeld() { return ended(.held) }
        let isQuiet = sink.isRunning(batch.id) == false
        if isQuiet && time.now - quiet >= sink.resolveDelay {
            rules.becameQuiet()
            return proceed()
        }
        time.after(SimulatedDelivery.askAgain) { [self] in awaitQuiet(since: isQuiet ? quiet : time.now) }
    }
}
