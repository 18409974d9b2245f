/// Writes Avro's binary form, for the tests: each call appends one value.
struct AvroBytes {
    var bytes: [UInt8] = []

    mutating func long(_ number: Int64) {
        var rest = UInt64(bitPattern: number << 1) ^ UInt64(bitPattern: number >> 63)
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func text(_ text: String) { data(Array(text.utf8)) }

    mutating func data(_ data: [UInt8]) {
        long(Int64(data.count))
        bytes += data
    }

    mutating func double(_ number: Double) { withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes += $0 } }
    mutating func float(_ number: Float) { withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes += $0 } }

    static func made(_ write: (inout AvroBytes) -> Void) -> [UInt8] {
        var writer = AvroBytes()
        write(&writer)
        return writer.bytes
    }
}
