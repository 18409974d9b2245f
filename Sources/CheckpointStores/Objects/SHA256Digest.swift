/// A SHA-256 hash, written as 64 lower-case hexadecimal digits.
package struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
    package let hex: String

    /// nil unless `hex` is 64 digits of 0–9 and a–f.
    package init?(hex: String) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy(SHA256Digest.isDigit) else { return nil }
        self.hex = hex
    }

    init(bytes: [UInt8]) {
        hex = String(decoding: bytes.flatMap { [SHA256Digest.digits[Int($0 >> 4)], SHA256Digest.digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    package var description: String { hex }
}

extension SHA256Digest: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = SHA256Digest(hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a SHA-256 is 64 lower-case hexadecimal digits")
        }
        self = digest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}
