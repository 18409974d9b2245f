import Engine

/// The little that has to be read of S3's XML: texts of elements that hold no others. Byte by byte, each a bounded number of
/// times, whatever the server sends.
enum S3XML {
    /// The text of the first such element.
    static func text(of element: String, in xml: some Collection<UInt8>) -> String? {
        first(element, in: xml[...]).map { unescaped(xml[$0]) }
    }

    /// What is between each opening tag without attributes and the next closing one.
    static func texts(of element: String, in xml: [UInt8]) -> [ArraySlice<UInt8>] {
        var rest = xml[...]
        var found: [ArraySlice<UInt8>] = []
        while let range = first(element, in: rest) {
            found.append(xml[range])
            rest = xml[(range.upperBound + element.utf8.count + 3)...]
        }
        return found
    }

    private static func first<Text: Collection<UInt8>>(_ element: String, in xml: Text) -> Range<Text.Index>? {
        guard let open = xml.firstRange(of: Array("<\(element)>".utf8)),
            let close = xml[open.upperBound...].firstRange(of: Array("</\(element)>".utf8))
        else { return nil }
        return open.upperBound..<close.lowerBound
    }

    /// The longest name of a character, with its ampersand and semicolon: `&#x10FFFF;`.
    private static let longestName = 10

    /// With `&amp;`, `&#43;` and the like as the characters that they stand for.
    static func unescaped(_ text: some Collection<UInt8>) -> String {
        var result: [UInt8] = []
        var rest = text[...]
        while let byte = rest.first {
            let name = byte == UInt8(ascii: "&") ? rest.prefix(longestName) : rest.prefix(0)
            if let end = name.firstIndex(of: UInt8(ascii: ";")),
                let character = character(String(decoding: name.dropFirst().prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self))
            {
                result += Array(String(character).utf8)
                rest = rest[rest.index(after: end)...]
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func character(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let digits = Array(name.utf8)
            guard digits.first == UInt8(ascii: "#") else { return nil }
            let isHex = digits.dropFirst().first == UInt8(ascii: "x")
            return UInt32(String(decoding: digits.dropFirst(isHex ? 2 : 1), as: UTF8.self), radix: isHex ? 16 : 10).flatMap(
                Unicode.Scalar.init)
        }
    }
}
