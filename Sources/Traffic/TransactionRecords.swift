import Engine

/// Writes transactions in the flat form, about a kilobyte each.
struct TransactionRecords {
    let population: Population

    private enum Kind: Int {
        case card, mobile, transfer, wire, withdrawal, deposit

        static func draw(_ random: inout TrafficRandom) -> Kind {
            switch random.below(100) {
            case ..<41: .card
            case ..<50: .mobile
            case ..<67: .transfer
            case ..<80: .wire
            case ..<91: .withdrawal
            default: .deposit
            }
        }

        var name: StaticString {
            switch self {
            case .card: "card_payment"
            case .mobile: "mobile_payment"
            case .transfer: "ach_transfer"
            case .wire: "wire_transfer"
            case .withdrawal: "atm_withdrawal"
            case .deposit: "deposit"
            }
        }

        var description: StaticString {
            switch self {
            case .card, .mobile: ""
            case .transfer: "Ach Transfer"
            case .wire: "Wire Transfer"
            case .withdrawal: "Atm Withdrawal"
            case .deposit: "Deposit"
            }
        }

        var hasMerchant: Bool { self == .card || self == .mobile }
    }

    func write(ofCustomer customer: Int, createdAt: EventTime, random: inout TrafficRandom, into row: inout ByteWriter) {
        let kind = Kind.draw(&random)
        let merchant = kind.hasMerchant ? random.skewed(below: population.merchants) : nil
        let cents = TransactionRecords.amount(&random)
        let risk = random.below(4600) + random.below(4600)
        writeHead(kind, customer, cents, &random, into: &row)
        writeMerchant(merchant, kind, &random, into: &row)
        writePlace(customer, &random, into: &row)
        writeAssessment(kind, cents: cents, risk: risk, isCard: merchant != nil, &random, into: &row)
        row.write(",\"created_at\":\"")
        row.write(time: createdAt)
        row.write("\",\"updated_at\":\"")
        row.write(time: createdAt)
        row.write("\",\"version\":1,\"__deleted\":\"false\",\"__op\":\"c\"}")
    }

    /// Cents: half of the amounts under 400, one in ten over 5,500, one in a hundred over 20,000.
    private static func amount(_ random: inout TrafficRandom) -> Int {
        switch random.below(1000) {
        case ..<500: 1000 + random.below(39_000)
        case ..<900: 40_000 + random.below(510_000)
        case ..<985: 550_000 + random.below(1_450_000)
        default: 2_000_000 + random.below(8_000_000)
        }
    }

    private func writeHead(_ kind: Kind, _ customer: Int, _ cents: Int, _ random: inout TrafficRandom, into row: inout ByteWriter) {
        row.write("{\"id\":\"")
        row.write(uuid: (random.next(), random.next()))
        row.write("\",\"transaction_type\":\"")
        row.write(kind.name)
        row.write("\",\"status\":\"")
        switch random.below(100) {
        case ..<3: row.write("failed")
        case ..<5: row.write("pending")
        default: row.write("completed")
        }
        row.write(kind == .deposit ? "\",\"from_account_id\":null,\"to_account_id\":\"" : "\",\"from_account_id\":\"")
        row.write(uuid: population.bits(.account, customer))
        row.write(kind == .deposit ? "\",\"customer_id\":\"" : "\",\"to_account_id\":null,\"customer_id\":\"")
        row.write(uuid: population.bits(.customer, customer))
        row.write("\",\"amount\":\"")
        row.write(hundredths: cents)
        row.write("\",\"currency\":\"USD\",\"exchange_rate\":null,\"fee_amount\":\"")
        row.write(kind == .wire ? "25.00" : "0.00")
    }

    private func writeMerchant(_ merchant: Int?, _ kind: Kind, _ random: inout TrafficRandom, into row: inout ByteWriter) {
        row.write("\",\"description\":\"")
        if let merchant {
            row.write("Merchant ")
            row.write(number: merchant)
            row.write(" - ")
            row.write(population.businessType(ofMerchant: merchant).name)
            row.write("\",\"merchant_id\":\"")
            row.write(uuid: population.bits(.merchant, merchant))
            row.write("\",\"reference_number\":\"TXN-")
            row.write(hex: random.next(), digits: 12, upperCase: true)
            row.write("\",\"authorization_code\":\"AUTH")
            row.write(number: random.below(1_000_000), width: 6)
            row.write("\"")
        } else {
            row.write(kind.description)
            row.write("\",\"merchant_id\":null,\"reference_number\":\"TXN-")
            row.write(hex: random.next(), digits: 12, upperCase: true)
            row.write("\",\"authorization_code\":null")
        }
    }

    private func writePlace(_ customer: Int, _ random: inout TrafficRandom, into row: inout ByteWriter) {
        let city = random.chance(85) ? population.homeCity(ofCustomer: customer) : City.all[random.below(City.all.count)]
        // Three devices a customer, the first used most.
        let device = population.bits(.device, customer &* 3 &+ random.skewed(below: 3)).0
        row.write(",\"transaction_location\":\"{\\\"latitude\\\": ")
        row.write(millionths: random.below(180_000_000) - 90_000_000)
        row.write(", \\\"longitude\\\": ")
        row.write(millionths: random.below(360_000_000) - 180_000_000)
        row.write(", \\\"city\\\": \\\"")
        row.write(city.name)
        row.write("\\\", \\\"country\\\": \\\"")
        row.write(city.country)
        row.write("\\\"}\",\"device_fingerprint\":\"FP")
        row.write(hex: device, digits: 16)
        row.write("\",\"ip_address\":\"")
        let address = random.next()
        for part in 0..<4 {
            if part > 0 { row.write(byte: UInt8(ascii: ".")) }
            row.write(number: 1 + Int((address >> (part * 8)) % 254))
        }
        row.write("\",\"user_agent\":\"Mozilla/5.0 ")
        row.write(
            random.chance(50)
                ? "(X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
                : "(iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"
        )
        row.write("\"")
    }

    private func writeAssessment(
        _ kind: Kind, cents: Int, risk: Int, isCard: Bool, _ random: inout TrafficRandom, into row: inout ByteWriter
    ) {
        let level: StaticString = risk < 3000 ? "low" : risk < 6000 ? "medium" : risk < 8000 ? "high" : "critical"
        row.write(",\"risk_score\":\"")
        row.write(hundredths: risk)
        row.write("\",\"risk_level\":\"")
        row.write(level)
        row.write(cents > 1_000_000 ? "\",\"compliance_flags\":\"[\\\"HIGH_VALUE\\\"]\"" : "\",\"compliance_flags\":\"[]\"")
        row.write(",\"processing_time_ms\":")
        row.write(number: 20 + random.below(5000))
        if isCard {
            row.write(",\"network\":\"")
            switch random.below(3) {
            case 0: row.write("Visa")
            case 1: row.write("Mastercard")
            default: row.write("Amex")
            }
            row.write("\",\"card_last_four\":\"")
            row.write(number: random.below(10_000), width: 4)
            row.write("\"")
        } else {
            row.write(",\"network\":null,\"card_last_four\":null")
        }
        row.write(",\"tags\":\"[\\\"")
        row.write(kind.name)
        row.write("\\\", \\\"")
        row.write(level)
        row.write("\\\"]\",\"metadata\":\"{\\\"channel\\\": \\\"")
        switch random.below(4) {
        case 0: row.write("web")
        case 1: row.write("mobile")
        case 2: row.write("pos")
        default: row.write("atm")
        }
        row.write("\\\", \\\"batch_id\\\": \\\"B")
        row.write(number: 1000 + random.below(9000))
        row.write("\\\"}\"")
    }
}
