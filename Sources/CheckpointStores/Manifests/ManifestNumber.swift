/// The number of a manifest, dense for each job and counted from 1; never used twice.
package struct ManifestNumber: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// A job that wrote a checkpoint a second would reach it after 34,000 years.
    package static let last = ManifestNumber(1 << 40)

    package let number: UInt64

    package init(_ number: UInt64) { self.number = number }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        number = try container.decode(UInt64.self)
        guard number <= ManifestNumber.last.number else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(number) is no manifest's number: \(ManifestNumber.last) is the last there is")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }

    package static let first = ManifestNumber(1)
    package var next: ManifestNumber { ManifestNumber(number + 1) }
    /// nil before the first.
    package var previous: ManifestNumber? { number > 1 ? ManifestNumber(number - 1) : nil }
    package var description: String { String(number) }
    package static func < (left: ManifestNumber, right: ManifestNumber) -> Bool { left.number < right.number }
}
