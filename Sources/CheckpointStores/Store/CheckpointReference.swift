import Engine

/// How people name a checkpoint.
package enum CheckpointReference: Hashable, Sendable {
    /// `latest`, or so many before it: `latest~2`. Collected ones don't count.
    case latest(back: Int)
    /// `42`
    case number(ManifestNumber)
    /// `@2026-09-01T10:00Z`, or any form of `EventTime(iso8601:)`: the newest at that time or before, in milliseconds since
    /// 1970 UTC.
    case time(Int64)
    /// `tag:before-upgrade`
    case tag(String)

    package static let latest = CheckpointReference.latest(back: 0)

    /// Throws kind `invalid`, saying what a reference looks like.
    package init(_ text: String) throws(CheckpointError) {
        if text == "latest" {
            self = .latest
        } else if let text = text.rest(after: "latest~"), let back = CheckpointReference.count(text) {
            self = .latest(back: Int(back))
        } else if let number = CheckpointReference.count(text[...]), number > 0 {
            self = .number(ManifestNumber(number))
        } else if let text = text.rest(after: "@"), let time = EventTime(iso8601: text) {
            self = .time(time.milliseconds)
        } else if let name = text.rest(after: "tag:"), TagName.isValid(name) {
            self = .tag(String(name))
        } else {
            throw CheckpointError(
                .invalid,
                "\"\(text)\" is no reference to a checkpoint; write latest, latest~2, a number such as 42, @2026-09-01T10:00Z or tag:NAME"
            )
        }
    }

    /// Digits alone, and few enough for an `Int`.
    private static func count(_ text: Substring) -> UInt64? {
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return UInt64(text)
    }
}

/// What a tag may be called.
enum TagName {
    static let longest = 100

    static func isValid(_ name: Substring) -> Bool {
        PlainName.isPlain(name, upTo: longest) && !name.begins(with: ".")
    }
}
