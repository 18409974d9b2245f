import CommandLineParts
import Engine
import Worker

extension ExitStatus {
    /// The code of a run that came to its end.
    init(_ outcome: RunOutcome) {
        self =
            switch outcome {
            case .complete: .done
            case .undelivered: .partial
            }
    }
}
