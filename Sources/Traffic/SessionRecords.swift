import Engine

/// Writes customers' sessions in the flat form.
struct SessionRecords {
    let population: Population

    func write(ofCustomer customer: Int, startedAt: EventTime, random: inout TrafficRandom, into row: inout ByteWriter) {
        let device: StaticString
        let channel: StaticString
        switch random.below(4) {
        case 0: (channel, device) = ("web", "desktop")
        case 1: (channel, device) = ("web", "tablet")
        case 2: (channel, device) = ("mobile", "mobile")
        default: (channel, device) = ("atm", "terminal")
        }
        row.write("{\"id\":\"")
        row.write(uuid: (random.next(), random.next()))
        row.write("\",\"customer_id\":\"")
        row.write(uuid: population.bits(.customer, customer))
        row.write("\",\"session_id\":\"")
        row.write(uuid: (random.next(), random.next()))
        row.write("\",\"channel\":\"")
        row.write(channel)
        row.write("\",\"device_type\":\"")
        row.write(device)
        row.write("\",\"ip_address\":\"10.0.0.")
        row.write(number: random.below(256))
        row.write("\",\"location\":\"{\\\"country\\\": \\\"")
        row.write(population.homeCity(ofCustomer: customer).country)
        row.write("\\\"}\",\"started_at\":\"")
        row.write(time: startedAt)
        row.write("\",\"ended_at\":")
        if random.chance(90) {
            row.write("\"")
            row.write(time: startedAt + EventSpan(milliseconds: Int64(1000 + random.below(3_000_000))))
            row.write("\"")
        } else {
            row.write("null")
        }
        row.write(",\"actions_count\":")
        row.write(number: random.below(50))
        row.write(",\"transactions_count\":")
        row.write(number: random.below(6))
        row.write(",\"created_at\":\"")
        row.write(time: startedAt)
        row.write("\",\"updated_at\":\"")
        row.write(time: startedAt)
        row.write("\",\"version\":1,\"__deleted\":\"false\",\"__op\":\"c\"}")
    }
}
