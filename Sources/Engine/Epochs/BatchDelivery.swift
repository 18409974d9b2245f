/// The resolution of one sink batch: what to do next, given what is known about the attempts so far.
///
/// A synchronous state machine: the caller performs `step`, says what came of it, and looks at `step` again. Its rules:
/// only an acknowledged first attempt is trusted as it is; every other end of an attempt is *unknown*, and what landed
/// is found out by counting, after nothing of the batch can be running any more; a count of none means send again, a
/// count of all means delivered, and anything else stops.
package struct BatchDelivery: Sendable {
    /// What the caller is to do.
    package enum Step: Equatable, Sendable {
        /// Send the batch under its own name, then call `sent`.
        case send
        /// Wait until the sink has shown nothing of the batch for the resolve delay, then call `becameQuiet`.
        case awaitQuiet
        /// Count the batch's rows in the sink, then call `counted`.
        case count
        /// All rows are there; `afterError` when an attempt had been answered with an error, so that something that
        /// hangs on the table (a materialized view) may lack them.
        case done(afterError: Bool)
        /// Some but not all rows are there, or more than all, or none after an acknowledged resend.
        case stop(found: Int)
    }

    /// How an attempt to send ended.
    package enum SendResult: Equatable, Sendable {
        /// Success in every respect.
        case acknowledged
        /// The sink answered with an error.
        case answeredWithError
        /// No answer, or one that says nothing: timeouts, broken connections, a refusal because an earlier attempt runs.
        case unknown
    }

    package private(set) var step: Step
    private let rowCount: Int
    /// True once an attempt may have left rows behind: from then on an acknowledgement alone proves nothing.
    private var isInDoubt: Bool
    private var wasAcknowledgedInDoubt = false
    private var hadError = false

    package init(rowCount: Int, mayHaveBeenSent: Bool) {
        precondition(rowCount > 0, "a batch has at least one row")
        self.rowCount = rowCount
        isInDoubt = mayHaveBeenSent
        step = mayHaveBeenSent ? .awaitQuiet : .send
    }

    package mutating func sent(_ result: SendResult) {
        precondition(step == .send, "nothing was to be sent")
        switch result {
        case .acknowledged where !isInDoubt:
            step = .done(afterError: false)
        case .acknowledged:
            wasAcknowledgedInDoubt = true
            step = .count
        case .answeredWithError:
            isInDoubt = true
            hadError = true
            step = .awaitQuiet
        case .unknown:
            isInDoubt = true
            step = .awaitQuiet
        }
    }

    package mutating func becameQuiet() {
        precondition(step == .awaitQuiet, "nobody waited for quiet")
        step = .count
    }

    package mutating func counted(_ rows: Int) {
        precondition(step == .count, "nothing was to be counted")
        if rows == rowCount {
            step = .done(afterError: hadError)
        } else if rows == 0 && !wasAcknowledgedInDoubt {
            step = .send
        } else {
            step = .stop(found: rows)
        }
    }
}
