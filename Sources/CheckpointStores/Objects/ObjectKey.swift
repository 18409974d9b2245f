import Engine

/// The name of an object in a store: parts between slashes, `fintech/manifests/00000000000000000042.json`.
package struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String

    /// What S3 takes at most, in bytes of UTF-8; a prefix counts too.
    static let longestKey = 1024
    /// What file systems take for one name, less what a temporary file's name adds.
    static let longestPart = 200

    /// Throws kind `invalid` for an empty part, one that starts with a dot, a control character, or too long a key.
    package init(_ text: String) throws(CheckpointError) {
        let parts = text.parts(at: "/", omittingEmpty: false)
        let isWellFormed = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.count <= ObjectKey.longestPart && !part.begins(with: ".")
                && part.utf8.allSatisfy { $0 >= 32 && $0 != 127 }
        }
        guard isWellFormed, text.utf8.count <= ObjectKey.longestKey else {
            throw CheckpointError(
                .invalid,
                "\"\(text)\" can't name an object: its parts between slashes must have 1 to \(ObjectKey.longestPart) bytes, not start with a dot and hold no control characters"
            )
        }
        self.text = text
    }

    /// A key made of parts that were checked before.
    init(known text: String) { self.text = text }

    package var description: String { text }

    /// By the bytes of their UTF-8, the order in which every store lists.
    package static func < (left: ObjectKey, right: ObjectKey) -> Bool { left.text.utf8.lexicographicallyPrecedes(right.text.utf8) }
}
