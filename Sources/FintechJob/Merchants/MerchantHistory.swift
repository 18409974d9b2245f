import Engine

/// What a merchant's windows add up to over all time.
struct MerchantHistory: StateRecord, BitwiseCopyable {
    var count: UInt64 = 0
    /// In cents.
    var total: Int128 = 0

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("count", &count)
        visit.field("total", &total)
    }

    var isSound: Bool { SoundTotals.areCounts(count) && SoundTotals.isSum(total, of: count) }

    mutating func add(_ window: MerchantTotals) {
        count += window.count
        total += window.total
    }

    var performanceLevel: StaticString {
        if count > 1_000 && total > 100_000_00 { return "HIGH_PERFORMANCE" }
        if count > 500 && total > 50_000_00 { return "MEDIUM_PERFORMANCE" }
        if count > 100 && total > 10_000_00 { return "LOW_PERFORMANCE" }
        return "MINIMAL_ACTIVITY"
    }

    /// By the mean amount, compared exactly.
    var riskLevel: StaticString {
        if total > Int128(count) * 10_000_00 { return "HIGH_RISK" }
        if total > Int128(count) * 5_000_00 { return "MEDIUM_RISK" }
        return "LOW_RISK"
    }
}

/// What is unusual about a merchant's window: the first that holds.
enum MerchantAnomaly {
    case highFailureRate, lowSuccessRate, highRisk, none

    init(_ totals: MerchantTotals) {
        if totals.failed > totals.completed {
            self = .highFailureRate
        } else if totals.completed * 5 < totals.count * 4 {
            // Less than 0.8 of them.
            self = .lowSuccessRate
        } else if totals.risk > Int128(totals.count) * 70_00 {
            self = .highRisk
        } else {
            self = .none
        }
    }

    var name: StaticString {
        switch self {
        case .highFailureRate: "High Failure Rate"
        case .lowSuccessRate: "Low Success Rate"
        case .highRisk: "High Risk"
        case .none: "Normal"
        }
    }
}
