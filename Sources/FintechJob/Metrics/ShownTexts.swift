import Engine

/// What rows show where there is no value.
enum Shown {
    static let unknown: StaticString = "unknown"
}

extension TextCounts {
    /// The most frequent name, `unknown` when nothing was counted.
    var preferred: ByteView { mostFrequent ?? ByteView(Shown.unknown) }
}

extension TextField {
    /// The text, `unknown` when there is none.
    var shown: ByteView { isEmpty ? ByteView(Shown.unknown) : view }
}

extension ByteView {
    init(_ text: StaticString) { self.init(start: text.utf8Start, count: text.utf8CodeUnitCount) }
}

/// How much a customer moved in total.
enum ValueTier {
    case high, medium, low

    /// `total` in cents.
    init(total: Int128) {
        self = total >= 10_000_00 ? .high : total >= 1_000_00 ? .medium : .low
    }

    var name: StaticString {
        switch self {
        case .high: "High Value"
        case .medium: "Medium Value"
        case .low: "Low Value"
        }
    }
}
