import Engine

/// A table server that goes on whatever becomes of its clients.
///
/// The fault model: a request is lost, or lands although its answer is lost, or lands after the client gave up (but
/// within `resolveDelay` of being sent, as long as it is not shown as running), or runs for longer than the client waits,
/// or is answered with an error before or after it landed. While the server is down nothing lands and nobody answers;
/// what was running then is gone. A batch lands whole; what landed stays.
package final class SimulatedSink {
    /// In percent of requests.
    package struct Faults {
        package var requestLost = 0
        package var answerLost = 0
        package var landsLate = 0
        package var runsLong = 0
        package var errorBefore = 0
        package var errorAfter = 0
        /// For how long nothing of a batch must be seen running before its rows are counted.
        package var resolveDelay = Duration.seconds(5)

        package init() {}
    }

    /// A row as it landed.
    package struct Row: Hashable {
        package let batch: SinkBatchID
        package let row: Int
        /// What it was delivered as, and the values in the order of its columns.
        package let layout: OutputTable
        package let values: [String]

        package init(batch: SinkBatchID, row: Int, layout: OutputTable, values: [String]) {
            self.batch = batch
            self.row = row
            self.layout = layout
            self.values = values
        }

        /// The table's name and the values in order.
        package var text: String { ([layout.name] + values).joined(separator: " ") }
    }

    var resolveDelay: Duration { faults.resolveDelay }
    /// How long a client waits for an answer.
    static let clientTimeout = Duration.seconds(2)

    package internal(set) var rows: [Row] = []
    var counts: [SinkBatchID: Int] = [:]
    private(set) var running: Set<SinkBatchID> = []
    /// Deletions that were accepted and are not done.
    var mutations = 0
    /// Counted up when the server goes down: what ran before is gone.
    private var incarnation = 0
    package private(set) var isDown = false
    let time: VirtualTime
    let faults: Faults
    var random: SeededRandom

    package init(time: VirtualTime, faults: Faults, random: SeededRandom) {
        self.time = time
        self.faults = faults
        self.random = random
    }

    package func goDown() {
        isDown = true
        incarnation += 1
        running = []
    }

    package func comeUp() { isDown = false }

    /// What a client can ask: whether a request of this name runs; nil when nobody answers.
    func isRunning(_ id: SinkBatchID) -> Bool? { isDown ? nil : running.contains(id) }

    /// What a client can ask: how many rows of the batch are there; nil when nobody answers.
    func count(_ id: SinkBatchID) -> Int? { isDown ? nil : counts[id] ?? 0 }

    /// Sends a batch, its rows read as `layout` says; `answered` is called once, sooner or later.
    func send(_ batch: SinkBatch, as layout: OutputTable, answered: @escaping (BatchDelivery.SendResult) -> Void) {
        var isAnswered = false
        // The first answer counts: a client that gave up hears nothing more.
        let answer: (BatchDelivery.SendResult) -> Void = { result in
            guard !isAnswered else { return }
            isAnswered = true
            answered(result)
        }
        let soon = random.milliseconds(in: 1...50)
        guard !isDown, !running.contains(batch.id) else { return time.after(soon) { answer(.unknown) } }
        var chance = random.number(in: 1...100)
        func isFault(_ percent: Int) -> Bool {
            defer { chance -= percent }
            return chance > 0 && chance <= percent
        }
        if isFault(faults.requestLost) {
            time.after(SimulatedSink.clientTimeout) { answer(.unknown) }
        } else if isFault(faults.answerLost) {
            land(batch, layout, after: soon, isShown: true)
            time.after(SimulatedSink.clientTimeout) { answer(.unknown) }
        } else if isFault(faults.landsLate) {
            land(batch, layout, after: random.milliseconds(in: 2_001...4_900), isShown: false)
            time.after(SimulatedSink.clientTimeout) { answer(.unknown) }
        } else if isFault(faults.runsLong) {
            land(batch, layout, after: random.milliseconds(in: 2_001...20_000), isShown: true)
            time.after(SimulatedSink.clientTimeout) { answer(.unknown) }
        } else if isFault(faults.errorBefore) {
            time.after(soon) { answer(.answeredWithError) }
        } else if isFault(faults.errorAfter) {
            land(batch, layout, after: soon, isShown: true) { answer(.answeredWithError) }
            time.after(SimulatedSink.clientTimeout) { answer(.unknown) }
        } else {
            land(batch, layout, after: soon, isShown: true) { answer(.acknowledged) }
            time.after(SimulatedSink.clientTimeout) { answer(.unknown) }
        }
    }

    private func land(
        _ batch: SinkBatch, _ layout: OutputTable, after delay: Duration, isShown: Bool, then answer: @escaping () -> Void = {}
    ) {
        let sent = incarnation
        if isShown { running.insert(batch.id) }
        time.after(delay) { [self] in
            guard incarnation == sent, !isDown else { return }
            running.remove(batch.id)
            store(batch, layout)
            answer()
        }
    }

    private func store(_ batch: SinkBatch, _ layout: OutputTable) {
        let new = batch.chunks.flatMap { RowText.rows(of: $0, readAs: layout) }
        for (number, values) in new.enumerated() { rows.append(Row(batch: batch.id, row: number, layout: layout, values: values)) }
        counts[batch.id, default: 0] += new.count
    }
}
