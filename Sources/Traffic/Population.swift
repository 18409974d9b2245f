import Engine

/// Who takes part: customers, their accounts and devices, merchants. Everything about one follows from the seed and
/// its index, so nothing is stored and any number of them costs the same.
struct Population {
    let seed: UInt64
    let customers: Int
    let merchants: Int

    /// What an identifier is for; part of what it is made from.
    enum Kind: UInt64 {
        case customer = 1
        case account, merchant, device, traits
    }

    /// 128 bits that belong to this one.
    func bits(_ kind: Kind, _ index: Int) -> (UInt64, UInt64) {
        let first = TrafficRandom.mix(seed &+ (kind.rawValue &* 0xA076_1D64_78BD_642F) &+ TrafficRandom.mix(UInt64(index)))
        return (first, TrafficRandom.mix(first &+ 0x9E37_79B9_7F4A_7C15))
    }

    /// Random numbers that belong to this one.
    func random(_ kind: Kind, _ index: Int) -> TrafficRandom { TrafficRandom(seed: bits(kind, index).1) }

    /// Most transactions of a customer happen here.
    func homeCity(ofCustomer index: Int) -> City { City.all[Int(bits(.traits, index).0 % UInt64(City.all.count))] }

    func businessType(ofMerchant index: Int) -> BusinessType {
        BusinessType.all[Int(bits(.merchant, index).0 >> 7) % BusinessType.all.count]
    }
}

/// Where something happens.
struct City {
    let name: StaticString
    let country: StaticString

    static let all: [City] = [
        City(name: "Austin", country: "US"), City(name: "Berlin", country: "DE"), City(name: "Bogota", country: "CO"),
        City(name: "Lagos", country: "NG"), City(name: "Lisbon", country: "PT"), City(name: "Manila", country: "PH"),
        City(name: "Nairobi", country: "KE"), City(name: "Osaka", country: "JP"), City(name: "Porto Alegre", country: "BR"),
        City(name: "Riga", country: "LV"), City(name: "Seattle", country: "US"), City(name: "Toronto", country: "CA"),
        City(name: "Turin", country: "IT"), City(name: "Warsaw", country: "PL"),
    ]
}

/// What a merchant sells, with its merchant category code.
struct BusinessType {
    let name: StaticString
    let categoryCode: StaticString

    static let all: [BusinessType] = [
        BusinessType(name: "Grocery Store", categoryCode: "5411"), BusinessType(name: "Gas Station", categoryCode: "5541"),
        BusinessType(name: "Restaurant", categoryCode: "5812"), BusinessType(name: "Pharmacy", categoryCode: "5912"),
        BusinessType(name: "Book Store", categoryCode: "5942"), BusinessType(name: "Online Retailer", categoryCode: "5999"),
        BusinessType(name: "Hotel", categoryCode: "7011"),
    ]
}
