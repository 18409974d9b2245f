import Foundation

/// A thread that carries out one order after the other. One may wait while another is carried out.
///
/// `@unchecked Sendable`: the members are constants and a monitor.
final class OrderThread<Order: Sendable>: @unchecked Sendable {
    private struct State {
        var next: Order?
        var isStopping = false
        var isEnded = false
    }

    private let state = Monitor(State())

    /// Nobody waits for longer without looking again.
    private static var longestWait: Duration { .seconds(3600) }

    init(_ name: String, carryOut: @escaping @Sendable (Order) -> Void) {
        let thread = Thread { [state] in
            while let order = OrderThread.next(state) { carryOut(order) }
            state.update { $0.isEnded = true }
        }
        thread.name = name
        thread.start()
    }

    /// To be called when the order before is under way at least.
    func order(_ order: Order) { state.update { $0.next = order } }

    /// The thread ends after the order that is under way.
    func stop() { state.update { $0.isStopping = true } }

    /// Waits until the stopped thread has ended; false when that took longer.
    func awaitEnd(upTo limit: Duration) -> Bool { state.wait(upTo: limit) { $0.isEnded ? true : nil } ?? false }

    /// nil when there are to be no more.
    private static func next(_ state: Monitor<State>) -> Order? {
        while true {
            let found = state.wait(upTo: longestWait) { state -> Order?? in
                if state.isStopping { return .some(nil) }
                defer { state.next = nil }
                return state.next.map { .some($0) }
            }
            if let found { return found }
        }
    }
}
