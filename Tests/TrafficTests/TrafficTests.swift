import Engine
import Foundation
import Testing
import Traffic

@Suite("Traffic: looks like a bank's change stream and is the same for the same options")
struct TrafficTests {
    struct Made {
        let topic: TrafficTopic
        let key: String
        let value: [UInt8]

        func object() throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(value)) as? [String: Any])
        }
    }

    static func make(_ transactions: Int, _ change: (inout TrafficOptions) -> Void = { _ in }, step: Int = 1000) -> [Made] {
        var options = TrafficOptions(transactions: transactions)
        options.customers = 200
        options.merchants = 20
        change(&options)
        var made: [Made] = []
        var generator = TrafficGenerator(options)
        generator.makeReferenceData { made.append(Made(topic: $0, key: $1.text, value: $2.copy())) }
        while !generator.isAtEnd {
            generator.makeTraffic(atMost: step) { made.append(Made(topic: $0, key: $1.text, value: $2.copy())) }
        }
        return made
    }

    @Test func everyTableHasItsRowsAndStreamsComeLast() {
        let made = TrafficTests.make(5000)
        let counts = Dictionary(made.map { ($0.topic, 1) }, uniquingKeysWith: +)
        #expect(counts == [.customers: 200, .accounts: 200, .merchants: 20, .transactions: 5000, .sessions: 100])
        let firstStream = made.firstIndex { $0.topic.isStream }
        #expect(firstStream == 420)
    }

    @Test func theSameOptionsGiveTheSameBytesInAnySteps() {
        let once = TrafficTests.make(3000)
        let again = TrafficTests.make(3000, step: 7)
        #expect(once.map(\.value) == again.map(\.value) && once.map(\.key) == again.map(\.key))
        let other = TrafficTests.make(3000) { $0.seed = 2 }
        #expect(Set(once.map(\.value)).isDisjoint(with: other.map(\.value)))
    }

    @Test func aTransactionHasTheFieldsOfTheTable() throws {
        let fields: Set<String> = [
            "id", "transaction_type", "status", "from_account_id", "to_account_id", "customer_id", "amount", "currency", "exchange_rate",
            "fee_amount", "description", "merchant_id", "reference_number", "authorization_code", "transaction_location",
            "device_fingerprint", "ip_address", "user_agent", "risk_score", "risk_level", "compliance_flags", "processing_time_ms",
            "network", "card_last_four", "tags", "metadata", "created_at", "updated_at", "version", "__deleted", "__op",
        ]
        let transactions = TrafficTests.make(2000).filter { $0.topic == .transactions }
        for made in transactions {
            let object = try made.object()
            #expect(Set(object.keys) == fields)
            #expect(object["customer_id"] as? String == made.key)
            for name in ["transaction_location", "metadata", "tags", "compliance_flags"] {
                let inner = try #require(object[name] as? String)
                #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(inner.utf8)) }
            }
        }
        let mean = transactions.map(\.value.count).reduce(0, +) / transactions.count
        #expect((950...1250).contains(mean), "about a kilobyte each, found \(mean)")
        #expect(Set(try transactions.map { try $0.object()["id"] as? String }).count == 2000, "no id twice")
    }

    @Test func recordsReferToRowsThatExist() throws {
        let made = TrafficTests.make(1000)
        func ids(_ topic: TrafficTopic) throws -> Set<String> {
            Set(
                try made.filter { $0.topic == topic }.map { record in
                    let id = try #require(try record.object()["id"] as? String)
                    #expect(UUID(uuidString: id) != nil && record.key == id)
                    return id
                })
        }
        let (customers, accounts, merchants) = (try ids(.customers), try ids(.accounts), try ids(.merchants))
        #expect(customers.count == 200 && accounts.count == 200 && merchants.count == 20)
        for record in made where record.topic.isStream {
            let object = try record.object()
            #expect(customers.contains(try #require(object["customer_id"] as? String)))
            guard record.topic == .transactions else { continue }
            #expect(accounts.contains(try #require((object["from_account_id"] as? String) ?? (object["to_account_id"] as? String))))
            if let merchant = object["merchant_id"] as? String { #expect(merchants.contains(merchant)) }
        }
    }

    @Test func timesGrowAtTheRateAndStayWithinTheBound() throws {
        let made = TrafficTests.make(20_000) { $0.rate = 500 }
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        let times = try made.filter { $0.topic == .transactions }.map { record in
            let text = try #require(try record.object()["created_at"] as? String).replacingOccurrences(of: "000Z", with: "Z")
            return try #require(formatter.date(from: text)).timeIntervalSince1970
        }
        var greatest = times[0]
        var disordered = 0
        for time in times {
            #expect(time > greatest - 4.001)
            if time < greatest { disordered += 1 }
            greatest = max(greatest, time)
        }
        #expect(abs(greatest - times[0] - 40) < 5, "20,000 transactions at 500 a second last 40 s")
        #expect((2000...6000).contains(disordered))
    }
}
