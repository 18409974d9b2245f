import Engine

/// What can be suspicious about a transaction, in the order in which alerts list it.
enum FraudRule: UInt8, CaseIterable {
    case highAmount, dailyLimitExceeded, frequentTransactions, multipleLocations, multipleDevices, rapidTransactions
    case unusualPattern, frozenAccount, inactiveAccount, excessiveAmount, highRiskScore, suspiciousAmount

    var name: StaticString {
        switch self {
        case .highAmount: "HIGH_AMOUNT"
        case .dailyLimitExceeded: "DAILY_LIMIT_EXCEEDED"
        case .frequentTransactions: "FREQUENT_TRANSACTIONS"
        case .multipleLocations: "MULTIPLE_LOCATIONS"
        case .multipleDevices: "MULTIPLE_DEVICES"
        case .rapidTransactions: "RAPID_TRANSACTIONS"
        case .unusualPattern: "UNUSUAL_PATTERN"
        case .frozenAccount: "FROZEN_ACCOUNT"
        case .inactiveAccount: "INACTIVE_ACCOUNT"
        case .excessiveAmount: "EXCESSIVE_AMOUNT"
        case .highRiskScore: "HIGH_RISK_SCORE"
        case .suspiciousAmount: "SUSPICIOUS_AMOUNT"
        }
    }

    var points: Int {
        switch self {
        case .highAmount: 30
        case .dailyLimitExceeded: 40
        case .frequentTransactions: 25
        case .multipleLocations: 20
        case .multipleDevices: 15
        case .rapidTransactions: 35
        case .unusualPattern: 20
        case .frozenAccount: 50
        case .inactiveAccount: 30
        case .excessiveAmount: 25
        case .highRiskScore: 20
        case .suspiciousAmount: 20
        }
    }
}

/// The rules that a transaction meets.
struct FraudFindings: BitwiseCopyable {
    private var bits: UInt16 = 0
    private var points = 0

    /// 0 to 100.
    var score: Int { min(points, 100) }

    mutating func note(_ rule: FraudRule, if isMet: Bool) {
        guard isMet else { return }
        bits |= 1 << UInt16(rule.rawValue)
        points += rule.points
    }

    /// Goes through them in order.
    func forEach(_ body: (FraudRule) -> Void) {
        var rest = bits
        while rest != 0 {
            if let rule = FraudRule(rawValue: UInt8(rest.trailingZeroBitCount)) { body(rule) }
            rest &= rest - 1
        }
    }
}
