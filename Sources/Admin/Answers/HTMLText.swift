import Engine

/// Foreign text inside HTML: between tags, or as an attribute's value in quotes.
enum HTMLText {
    /// Without control characters, which HTML doesn't know, and without marks that turn the direction of the text around them.
    static func escaped(_ text: String) -> String {
        text.printable.escaped { byte in
            switch byte {
            case UInt8(ascii: "&"): "&amp;"
            case UInt8(ascii: "<"): "&lt;"
            case UInt8(ascii: ">"): "&gt;"
            case UInt8(ascii: "\""): "&quot;"
            case UInt8(ascii: "'"): "&#39;"
            default: nil
            }
        }
    }
}
