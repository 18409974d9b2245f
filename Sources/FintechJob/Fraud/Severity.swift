import Engine

/// How bad a transaction looks, by its score.
enum Severity: CaseIterable {
    case critical, high, medium, low

    init(score: Int) {
        self =
            score >= Severity.critical.leastScore
            ? .critical
            : score >= Severity.high.leastScore
                ? .high
                : score >= Severity.medium.leastScore ? .medium : .low
    }

    /// The score that it begins with; the lowest has none.
    private var leastScore: Int {
        switch self {
        case .critical: 80
        case .high: 60
        case .medium: 40
        case .low: .min
        }
    }

    var name: StaticString {
        switch self {
        case .critical: "CRITICAL"
        case .high: "HIGH"
        case .medium: "MEDIUM"
        case .low: "LOW"
        }
    }

    var recommendation: StaticString {
        switch self {
        case .critical: "BLOCK_TRANSACTION"
        case .high: "REQUIRE_ADDITIONAL_VERIFICATION"
        case .medium: "MONITOR_CLOSELY"
        case .low: "CONTINUE_MONITORING"
        }
    }

    /// The same scale for views, but for the lowest.
    static var bands: [ViewBand] { allCases.filter { $0 != .low }.map { ViewBand(from: $0.leastScore, $0.name.description) } }
}
