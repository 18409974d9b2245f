import Engine

/// Writes the rows of `fraud_detection_alerts`. A class, for the buffers that it uses again and again.
final class FraudAlertWriter {
    private let rows: RowWriter
    private var types = ByteWriter()
    private var details = ByteWriter()

    init(_ rows: RowWriter) { self.rows = rows }

    func write(_ transaction: Transaction, _ findings: FraudFindings, accountID: ByteView) {
        types.removeAll()
        findings.forEach { types.write(text: ByteView($0.name)) }
        writeDetails(of: transaction)
        let severity = Severity(score: findings.score)
        rows.begin()
        rows.text("transactionId", transaction.id)
        rows.text("customerId", transaction.customerID)
        rows.texts("fraudTypes", encoded: types.view)
        rows.number("riskScore", Double(findings.score))
        rows.time("detectionTime", transaction.createdAt)
        rows.text("alertType", "FRAUD_DETECTED")
        rows.text("fraudDetails", details.view)
        rows.flag("isFraudulent", findings.score > 50)
        rows.text("severity", severity.name)
        rows.text("recommendation", severity.recommendation)
        rows.amount("amount", cents: transaction.amount)
        rows.text("accountId", accountID)
        rows.end()
    }

    /// A JSON object, its keys in order.
    private func writeDetails(of transaction: Transaction) {
        details.removeAll()
        details.write("{\"amount\":")
        details.write(jsonMoney: transaction.amount)
        details.write(",\"city\":")
        details.write(jsonString: transaction.city)
        details.write(",\"country\":")
        details.write(jsonString: transaction.country)
        details.write(",\"device\":")
        details.write(jsonString: transaction.deviceFingerprint)
        details.write(",\"transactionType\":")
        details.write(jsonString: transaction.type)
        details.write("}")
    }

    static let table = OutputTable(
        "fraud_detection_alerts", timeColumn: "detectionTime", orderBy: ["customerId", "detectionTime"], topic: "customer_fraud_alerts",
        keyColumn: "customerId",
        columns: [
            OutputColumn("transactionId", .text), OutputColumn("customerId", .text), OutputColumn("fraudTypes", .texts),
            OutputColumn("riskScore", .number), OutputColumn("detectionTime", .time), OutputColumn("alertType", .text),
            OutputColumn("fraudDetails", .text), OutputColumn("isFraudulent", .flag), OutputColumn("severity", .text),
            OutputColumn("recommendation", .text),
            // From here on new beside the system that the job replaces.
            OutputColumn("amount", .amount), OutputColumn("accountId", .text),
        ]
    )
}
