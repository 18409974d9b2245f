import Foundation

/// CPU time, and how the figures are printed.
enum Figures {
    /// CPU time of this thread.
    static var threadSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// CPU time of all threads of the process.
    static var processSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// One line: the CPU seconds that a million records take, and whatever else there is to say.
    static func show(_ what: String, perMillion: Double, _ rest: String = "") {
        print(
            what.padding(toLength: 34, withPad: " ", startingAt: 0) + String(format: " %7.3f CPU s per million records  ", perMillion)
                + rest)
    }

    /// Runs `pass` as often as asked; the figure is the fastest tenth's, because the machine may be busy with others.
    static func measure<Result>(_ what: String, records: Int, passes: Int, _ pass: () throws -> Result) rethrows -> Result {
        var times: [Double] = []
        var result = try pass()
        for _ in 0..<passes {
            let start = threadSeconds
            result = try pass()
            times.append((threadSeconds - start) / Double(records) * 1e6)
        }
        times.sort()
        show(what, perMillion: times[times.count / 10], String(format: "mean %.3f", times.reduce(0, +) / Double(times.count)))
        return result
    }
}
