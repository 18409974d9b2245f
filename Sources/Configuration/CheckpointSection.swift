import Engine

/// `checkpoints`: where copies of the state go, how often, and for how long.
package struct CheckpointSection: Sendable {
    /// `checkpoints.store`
    package var store = Store.directory("./checkpoints")
    /// `checkpoints.interval`
    package var interval: Duration = .seconds(30)
    /// `checkpoints.keep`: how many are kept.
    package var keep = 10

    package enum Store: Sendable, Equatable {
        case directory(String)
        /// `s3://bucket/prefix`
        case s3(bucket: String, prefix: String)
        /// `off`: no checkpoints are written.
        case off

        /// As the store itself takes it; nil for none.
        package var location: String? {
            switch self {
            case .directory(let path): path
            case .s3(let bucket, let prefix): "s3://\(bucket)" + (prefix.isEmpty ? "" : "/" + prefix)
            case .off: nil
            }
        }
    }

    init(_ reader: inout SettingsReader) {
        store = reader.value(
            "checkpoints.store", default: store, expected: "a directory, s3://bucket/prefix, or off", CheckpointSection.store)
        interval = reader.duration("checkpoints.interval", default: interval, from: "1s", to: "24h")
        keep = reader.integer("checkpoints.keep", default: keep, in: 1...10_000)
    }

    private static func store(_ text: String) -> Store? {
        if text == "off" { return .off }
        guard let scheme = text.firstRange(of: "://") else { return text.isEmpty ? nil : .directory(text) }
        guard text[..<scheme.lowerBound] == "s3" else { return nil }
        let path = text[scheme.upperBound...].parts(at: "/", maxSplits: 1, omittingEmpty: false)
        guard let bucket = path.first, bucket.utf8.count >= 3, bucket.utf8.allSatisfy(PlainName.isByte) else { return nil }
        var prefix = path.count > 1 ? path[1] : ""
        while let shorter = prefix.rest(before: "/") { prefix = shorter }
        return .s3(bucket: String(bucket), prefix: String(prefix))
    }
}
