import Engine

/// A text that is never shown: every way of printing it, interpolation and reflection included, gives `<hidden>`.
package struct Secret: Sendable, Hashable {
    /// The text itself, for the one call that needs it.
    package let revealed: String

    package init(_ text: String) { revealed = text }

    package var isEmpty: Bool { revealed.isEmpty }

    /// What stands in for a hidden text.
    package static let placeholder = "<hidden>"
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { Secret.placeholder }
    package var debugDescription: String { Secret.placeholder }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Takes secrets out of texts that others made, such as a server's error message that repeats what it was sent.
///
/// The second line behind `Secret`: logs, printed errors and the status page pass through it.
package struct Redactor: Sendable {
    /// Longest first, so that a secret inside another leaves nothing of it standing.
    private let secrets: [Secret]

    /// Shorter texts than this are hidden by their type alone: looking for them would garble everything else.
    package static let shortestText = 4

    package init(_ secrets: some Sequence<Secret>) {
        self.secrets = Set(secrets).filter { $0.revealed.utf8.count >= Redactor.shortestText }
            .sorted { ($0.revealed.utf8.count, $0.revealed) > ($1.revealed.utf8.count, $1.revealed) }
    }

    /// Hides nothing.
    package static let none = Redactor([])

    package func redact(_ text: String) -> String {
        var result = text
        for secret in secrets where result.holds(secret.revealed) {
            result = result.replacing(text: secret.revealed, with: Secret.placeholder)
        }
        return result
    }
}
