import Engine

/// Writes the rows of the reference tables in the flat form.
struct ReferenceRecords {
    let population: Population
    /// When the rows were last changed: before the first transaction.
    let updatedAt: EventTime

    func writeCustomer(_ index: Int, into row: inout ByteWriter) {
        var random = population.random(.customer, index)
        let city = population.homeCity(ofCustomer: index)
        row.write("{\"id\":\"")
        row.write(uuid: population.bits(.customer, index))
        row.write("\",\"first_name\":\"First")
        row.write(number: index)
        row.write("\",\"last_name\":\"Last")
        row.write(number: index)
        row.write("\",\"email\":\"customer")
        row.write(number: index)
        row.write("@example.com\",\"phone\":\"555-")
        row.write(number: index, width: 7)
        row.write("\",\"date_of_birth\":")
        row.write(number: random.below(18_000) - 6000)
        row.write(",\"ssn\":null,\"address\":\"{\\\"street\\\": \\\"")
        row.write(number: 1 + random.below(400))
        row.write(" Main Street\\\", \\\"city\\\": \\\"")
        row.write(city.name)
        row.write("\\\", \\\"zip_code\\\": \\\"")
        row.write(number: random.below(100_000), width: 5)
        row.write("\\\", \\\"country\\\": \\\"")
        row.write(city.country)
        row.write("\\\"}\",\"tier\":\"")
        row.write(pick(["basic", "basic", "basic", "premium", "premium", "vip", "enterprise"], &random))
        row.write("\",\"risk_score\":\"")
        row.write(hundredths: random.below(6000))
        row.write("\",\"kyc_status\":\"")
        row.write(pick(["verified", "verified", "verified", "verified", "pending", "rejected"], &random))
        row.write("\",\"is_active\":true,\"credit_score\":")
        row.write(number: 400 + random.below(450))
        row.write(",\"annual_income\":\"")
        row.write(hundredths: 1_500_000 + random.below(30_000_000))
        row.write("\",\"employment_status\":\"employed\",\"onboarding_channel\":\"")
        row.write(pick(["web", "mobile"], &random))
        row.write("\",\"referral_code\":null,\"preferences\":\"{\\\"paperless\\\": true}\",\"tags\":\"[]\"")
        writeEnd(age: 1 + random.below(700), into: &row)
    }

    /// Every customer has one account, of the same index.
    func writeAccount(_ index: Int, into row: inout ByteWriter) {
        var random = population.random(.account, index)
        row.write("{\"id\":\"")
        row.write(uuid: population.bits(.account, index))
        row.write("\",\"customer_id\":\"")
        row.write(uuid: population.bits(.customer, index))
        row.write("\",\"account_number\":\"ACC-")
        row.write(number: index, width: 9)
        row.write("\",\"account_type\":\"")
        row.write(pick(["checking", "savings", "credit", "business"], &random))
        row.write("\",\"currency\":\"USD\",\"balance\":\"")
        row.write(hundredths: 10_000 + random.below(20_000_000))
        row.write("\",\"available_balance\":\"0.00\",\"credit_limit\":null,\"interest_rate\":null,\"is_active\":")
        row.write(random.chance(97) ? "true" : "false")
        row.write(",\"is_frozen\":")
        row.write(random.chance(4) ? "true" : "false")
        row.write(",\"overdraft_protection\":false,\"minimum_balance\":\"")
        row.write(random.chance(45) ? "100.00" : "0.00")
        row.write("\",\"monthly_fee\":\"0.00\",\"branch_code\":\"BR1000\",\"routing_number\":\"")
        row.write(number: index, width: 9)
        row.write("\"")
        writeEnd(age: 1 + random.below(700), into: &row)
    }

    func writeMerchant(_ index: Int, into row: inout ByteWriter) {
        var random = population.random(.merchant, index)
        let type = population.businessType(ofMerchant: index)
        let city = City.all[random.below(City.all.count)]
        row.write("{\"id\":\"")
        row.write(uuid: population.bits(.merchant, index))
        row.write("\",\"name\":\"Merchant ")
        row.write(number: index)
        row.write("\",\"business_type\":\"")
        row.write(type.name)
        row.write("\",\"mcc_code\":\"")
        row.write(type.categoryCode)
        row.write("\",\"address\":\"{\\\"street\\\": \\\"")
        row.write(number: 1 + random.below(200))
        row.write(" High Street\\\", \\\"city\\\": \\\"")
        row.write(city.name)
        row.write("\\\", \\\"country\\\": \\\"")
        row.write(city.country)
        row.write("\\\"}\",\"phone\":null,\"website\":\"https://merchant")
        row.write(number: index)
        row.write(".example.com\",\"tax_id\":\"")
        row.write(number: index, width: 9)
        row.write("\",\"is_active\":")
        row.write(random.chance(98) ? "true" : "false")
        writeEnd(age: 1 + random.below(700), into: &row)
    }

    /// The columns that every table ends with; `age` in days.
    private func writeEnd(age: Int, into row: inout ByteWriter) {
        row.write(",\"created_at\":\"")
        row.write(time: updatedAt - .days(Int64(age)))
        row.write("\",\"updated_at\":\"")
        row.write(time: updatedAt)
        row.write("\",\"version\":1,\"__deleted\":\"false\",\"__op\":\"c\"}")
    }

    private func pick(_ names: [StaticString], _ random: inout TrafficRandom) -> StaticString { names[random.below(names.count)] }
}
