import Engine

/// Keys as people read and write them.
package enum StateText {
    /// A key as text; one that is no plain text, or that would read as hex, as `0x…`.
    package static func key(_ key: ByteView) -> String {
        if let text = plainText(key), !text.begins(with: "0x") { return text }
        return hex(key)
    }

    package static func hex(_ bytes: ByteView) -> String { "0x" + bytes.buffer.map(hexDigits).joined() }

    /// A field's text; bytes that are no UTF-8, which are no text either, as `0x…`.
    package static func field(_ bytes: [UInt8]) -> String {
        String(validating: bytes, as: UTF8.self) ?? bytes.withUnsafeBytes { hex(ByteView($0)) }
    }

    /// The bytes of a key that somebody wrote: text, or hex after `0x`; nil when those are no hex digits.
    package static func bytes(ofKey text: String) -> [UInt8]? {
        guard text.begins(with: "0x") else { return Array(text.utf8) }
        let digits = Array(text.utf8.dropFirst(2))
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func hexDigits(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    /// Valid UTF-8 without control characters; nil otherwise.
    private static func plainText(_ bytes: ByteView) -> String? {
        guard bytes.buffer.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), let text = String(validating: bytes.buffer, as: UTF8.self) else {
            return nil
        }
        return text.isEmpty ? nil : text
    }
}
