import Foundation

/// Shows on a terminal how far something is; elsewhere it shows nothing.
package struct ProgressBar {
    let what: String
    let total: Int
    private let isShown = Console.errorIsTerminal
    private let start = ContinuousClock.now
    private var lastShown = ContinuousClock.now

    private static let interval = Duration.milliseconds(100)
    private static let width = 30

    package init(_ what: String, total: Int) {
        self.what = what
        self.total = total
    }

    package mutating func show(_ done: Int) {
        guard isShown, ContinuousClock.now - lastShown >= ProgressBar.interval else { return }
        draw(done)
        lastShown = ContinuousClock.now
    }

    /// Draws it a last time and ends its line.
    package mutating func finish(_ done: Int) {
        guard isShown else { return }
        draw(done)
        Console.writeToTerminal("\n")
    }

    private func draw(_ done: Int) {
        let share = total > 0 ? Double(done) / Double(total) : 1
        let filled = Int(share * Double(ProgressBar.width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: ProgressBar.width - filled)
        let elapsed = ContinuousClock.now - start
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let rate = seconds > 0 ? Int(Double(done) / seconds) : 0
        Console.writeToTerminal("\r\(bar) \(Int(share * 100)) %  \(done) of \(total) \(what), \(rate)/s\u{1B}[K")
    }
}
