import Foundation

/// JSON documents that prove themselves: one line with sorted keys whose field `checksum` is the SHA-256 of the line, its
/// newline included, with zeros where the checksum's own 64 digits stand.
///
/// A quotation mark inside a JSON text is escaped, so the field's opening is found once only.
enum CheckedJSON {
    private static let opening = Array(#""checksum":""#.utf8)
    private static let blank = [UInt8](repeating: UInt8(ascii: "0"), count: 64)

    static func encode(_ document: some Encodable) throws(CheckpointError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            var bytes = [UInt8](try encoder.encode(Checked(document: document))) + [UInt8(ascii: "\n")]
            guard let range = digits(in: bytes) else { throw CheckpointError(.bug, "a checked document has no checksum") }
            bytes.replaceSubrange(range, with: Array(SHA256.of(bytes).hex.utf8))
            return bytes
        } catch {
            throw CheckpointError(.bug, "a document of a checkpoint can't be written as JSON", cause: error)
        }
    }

    /// Throws kind `corrupt`, naming `place`, unless the bytes are what `encode` makes.
    static func decode<Document: Decodable>(
        _ type: Document.Type, from bytes: [UInt8], at place: String, information: [CodingUserInfoKey: any Sendable] = [:]
    ) throws(CheckpointError) -> Document {
        try check(bytes, at: place)
        do {
            let decoder = JSONDecoder()
            decoder.userInfo = information
            return try decoder.decode(type, from: Data(bytes))
        } catch {
            throw CheckpointError(.corrupt, "\(place) is damaged: its checksum is right but not its fields", cause: error)
        }
    }

    private static func check(_ bytes: [UInt8], at place: String) throws(CheckpointError) {
        guard let range = digits(in: bytes) else {
            throw CheckpointError(.corrupt, "\(place) is damaged: it has no checksum; use another checkpoint")
        }
        var blanked = bytes
        blanked.replaceSubrange(range, with: blank)
        guard Array(SHA256.of(blanked).hex.utf8) == Array(bytes[range]) else {
            throw CheckpointError(.corrupt, "\(place) is damaged: its checksum is wrong; use another checkpoint")
        }
    }

    /// Where the checksum's digits stand; nil unless they do exactly once.
    private static func digits(in bytes: [UInt8]) -> Range<Int>? {
        guard let found = place(of: opening, in: bytes, from: 0), place(of: opening, in: bytes, from: found + 1) == nil else { return nil }
        let first = found + opening.count
        guard first + blank.count < bytes.count else { return nil }
        return first..<first + blank.count
    }

    /// By `memchr` and `memcmp`: a manifest of thousands of tasks is searched at every look at the store.
    private static func place(of text: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { bytes in
            var next = start
            while next + text.count <= bytes.count,
                let found = memchr(bytes.baseAddress! + next, Int32(text[0]), bytes.count - text.count + 1 - next)
            {
                next = bytes.baseAddress!.distance(to: found)
                if memcmp(found, text, text.count) == 0 { return next }
                next += 1
            }
            return nil
        }
    }

    private struct Checked<Document: Encodable>: Encodable {
        let document: Document

        private enum Key: String, CodingKey { case checksum }

        func encode(to encoder: any Encoder) throws {
            try document.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(String(decoding: blank, as: UTF8.self), forKey: .checksum)
        }
    }
}
