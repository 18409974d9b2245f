import Engine

/// What is kept of a customer's transactions to tell unusual ones.
struct CustomerActivity: StateRecord {
    /// When the last 32 transactions in log order were made, in milliseconds.
    var times = RecentNumbers()
    /// The last 20 amounts in log order, in cents.
    var amounts = RecentNumbers()
    /// Sums by hour since 1970 over the 24 hours up to the greatest one seen.
    var hours = BucketSums()
    /// The last seen, one more than a customer may use in a day. The rule asks no more than whether so many were seen
    /// since some time, which the least of their times answers; the others' can't become greater than it but by being
    /// seen again. So this gives what keeping 32 of each gives, in a fraction of the room.
    var countries = LastSeenTexts()
    var devices = LastSeenTexts()

    private static let usualCountries = 5
    private static let usualDevices = 3

    mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) {
        visit.field("times", &times)
        visit.field("amounts", &amounts)
        visit.field("hours", &hours)
        visit.field("countries", &countries)
        visit.field("devices", &devices)
    }

    mutating func reset() {
        times.removeAll()
        amounts.removeAll()
        hours.removeAll()
        countries.removeAll()
        devices.removeAll()
    }

    /// Adds a transaction, and says which rules it meets. `account` is nil when none is known.
    mutating func add(_ transaction: Transaction, account: Account?) -> FraudFindings {
        var findings = FraudFindings()
        let (time, amount) = (transaction.createdAt, transaction.amount)
        let hour = time.milliseconds.floorDivided(by: 3_600_000)
        let isRapid = times.last.map { EventTime(milliseconds: $0) > time - .minutes(1) } ?? false
        let isUnusual = amounts.count >= 5 && (isNight(hour) || Int128(amount) * Int128(amounts.count) > 3 * amounts.sum)
        times.append(time.milliseconds, keeping: 32)
        amounts.append(amount, keeping: 20)
        hours.add(amount, to: hour, keeping: 24)
        if !transaction.country.isNull {
            countries.note(transaction.country, at: time, keeping: CustomerActivity.usualCountries + 1)
        }
        if !transaction.deviceFingerprint.isNull {
            devices.note(transaction.deviceFingerprint, at: time, keeping: CustomerActivity.usualDevices + 1)
        }

        findings.note(.highAmount, if: amount > 10_000_00)
        findings.note(.dailyLimitExceeded, if: hours.total > 50_000_00)
        findings.note(.frequentTransactions, if: times.count(above: (time - .hours(1)).milliseconds) > 10)
        findings.note(.multipleLocations, if: countries.count(after: time - .hours(24)) > CustomerActivity.usualCountries)
        findings.note(.multipleDevices, if: devices.count(after: time - .hours(24)) > CustomerActivity.usualDevices)
        findings.note(.rapidTransactions, if: isRapid)
        findings.note(.unusualPattern, if: isUnusual)
        if let account {
            findings.note(.frozenAccount, if: account.isFrozen)
            findings.note(.inactiveAccount, if: !account.isActive)
            findings.note(.excessiveAmount, if: account.minimumBalance > 0 && amount > 10 * account.minimumBalance)
        }
        findings.note(.highRiskScore, if: transaction.risk >= 70_00)
        if let account { findings.note(.suspiciousAmount, if: account.balance > 0 && 2 * amount >= account.balance) }
        return findings
    }

    private func isNight(_ hour: Int64) -> Bool {
        let hourOfDay = hour.floorRemainder(by: 24)
        return hourOfDay < 6 || hourOfDay > 22
    }
}
