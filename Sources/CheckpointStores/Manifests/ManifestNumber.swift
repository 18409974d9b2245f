/// The number of a manifest, dense for each job and counted from 1; never used twice.
public struct ManifestNumber: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let number: UInt64

    public init(_ number: UInt64) { self.number = number }

    public init(from decoder: any Decoder) throws { number = try decoder.singleValueContainer().decode(UInt64.self) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }

    public static let first = ManifestNumber(1)
    public var next: ManifestNumber { ManifestNumber(number + 1) }
    /// nil before the first.
    public var previous: ManifestNumber? { number > 1 ? ManifestNumber(number - 1) : nil }
    public var description: String { String(number) }
    public static func < (left: ManifestNumber, right: ManifestNumber) -> Bool { left.number < right.number }
}
