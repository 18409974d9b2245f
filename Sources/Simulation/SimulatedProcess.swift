/// A process as what it asks of others sees it.
package final class SimulatedProcess {
    /// It died: whatever it had under way goes on without it, and it does nothing more.
    package private(set) var isGone = false
    /// It can't reach the checkpoint store, whatever others can.
    package var isCutOff = false
    package let number: Int
    private let calls: any CallRunner
    private let time: VirtualTime

    init(_ number: Int, calls: any CallRunner, time: VirtualTime) {
        self.number = number
        self.calls = calls
        self.time = time
    }

    func die() { isGone = true }

    /// Lets time pass within a call; throws when the process died meanwhile.
    package func pause(_ length: Duration) throws {
        calls.wait { goOn in time.after(length, goOn) }
        if isGone { throw SimulatedCrash() }
    }

    /// Runs what blocks; `then` hears what came of it, unless the process died.
    func perform<Value>(_ body: @escaping () throws -> Value, then: @escaping (Result<Value, any Error>) -> Void) {
        time.after(.zero) { [self] in
            guard !isGone else { return }
            calls.begin { [self] in
                let result = Result(catching: body)
                time.after(.zero) { [self] in
                    if !isGone { then(result) }
                }
            }
        }
    }
}
