import Engine

/// The little that has to be read of S3's XML: texts of elements that hold no others.
enum S3XML {
    /// The text of the first such element.
    static func text(of element: String, in xml: some StringProtocol) -> String? {
        texts(of: element, in: xml).first.map { unescaped($0) }
    }

    /// What is between each opening tag without attributes and the next closing one.
    static func texts(of element: String, in xml: some StringProtocol) -> [Substring] {
        var rest = Substring(xml)
        var found: [Substring] = []
        while let open = rest.firstRange(of: "<\(element)>"), let close = rest[open.upperBound...].firstRange(of: "</\(element)>") {
            found.append(rest[open.upperBound..<close.lowerBound])
            rest = rest[close.upperBound...]
        }
        return found
    }

    /// With `&amp;`, `&#43;` and the like as the characters that they stand for.
    static func unescaped(_ text: Substring) -> String {
        var result = ""
        var rest = text
        while let ampersand = rest.firstIndex(ofSign: "&") {
            result += rest[..<ampersand]
            rest = rest[ampersand...]
            guard let end = rest.firstIndex(ofSign: ";"), let character = character(rest[rest.utf8.index(after: ampersand)..<end]) else {
                result.append("&")
                rest = rest.dropFirst()
                continue
            }
            result.unicodeScalars.append(character)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func character(_ name: Substring) -> Unicode.Scalar? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let number = name.rest(after: "#x").map { UInt32($0, radix: 16) } ?? name.rest(after: "#").flatMap { UInt32($0) }
            return number.flatMap(Unicode.Scalar.init)
        }
    }
}
