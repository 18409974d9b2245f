import Synchronization

/// Which kinds of question have come before.
final class LostAnswers: Sendable {
    private let seen = Mutex<Set<String>>([])

    var kinds: Set<String> { seen.withLock { $0 } }
    func isFirst(_ kind: String) -> Bool { seen.withLock { $0.insert(kind).inserted } }
}
