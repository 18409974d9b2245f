import Engine

/// How one knows in which partition the records of a key are.
package enum KeyPlaces {
    /// Kafka's default partitioner, of the record's key.
    case murmur2(RecordKeyTemplate)
    /// Somebody has listed where each key is after the growth.
    case listed(ListedKeys)

    /// nil when nobody says.
    func partition(of key: ByteView, among partitions: Int) throws -> Int? {
        switch self {
        case .murmur2(let template): template.partition(of: key, among: partitions)
        case .listed(let keys): try keys.partition(of: key)
        }
    }

    /// A list says nothing of where keys were before.
    var tellsWhereKeysWere: Bool {
        switch self {
        case .murmur2: true
        case .listed: false
        }
    }
}
