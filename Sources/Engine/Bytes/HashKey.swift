/// The secret of a job that its stored hashes depend on: 128 bits, random, made when its state begins and kept with it.
///
/// Whoever knows it can make texts whose hashes collide. So no message, log or report holds it, and it describes itself as
/// `(secret)`.
@frozen
public struct HashKey: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The first eight bytes of the key, and the last, each little-endian.
    let first: UInt64
    let second: UInt64

    public init(first: UInt64, second: UInt64) {
        self.first = first
        self.second = second
    }

    /// `hex`: as `hex` gives it; nil for any other text.
    public init?(hex: String) {
        let digits = Array(hex.utf8)
        guard digits.count == 32, digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            let first = UInt64(String(decoding: digits[..<16], as: UTF8.self), radix: 16),
            let second = UInt64(String(decoding: digits[16...], as: UTF8.self), radix: 16)
        else { return nil }
        self.init(first: first.byteSwapped, second: second.byteSwapped)
    }

    /// The key's 16 bytes as 32 lower-case digits: for where the state is kept, and nowhere else.
    public var hex: String {
        [first, second].map { half in
            let digits = String(half.byteSwapped, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }

    public var description: String { "(secret)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
