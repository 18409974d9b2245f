/// Text that others wrote, searched, split and escaped by its UTF-8.
///
/// A `Character` takes in the marks that combine with it, so `"\u{600}<" != "<"`: whoever looks for a sign among characters can be
/// made to overlook it. In UTF-8 a sign of ASCII is one byte, which is part of nothing else. Signs are ASCII throughout.
extension StringProtocol where UTF8View: BidirectionalCollection {
    package func begins(with prefix: some StringProtocol) -> Bool { utf8.starts(with: prefix.utf8) }

    package func ends(with suffix: some StringProtocol) -> Bool { utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }

    package func holds(_ text: some StringProtocol) -> Bool { utf8.firstRange(of: text.utf8) != nil }

    /// What stands behind `prefix`; nil when the text begins otherwise.
    package func rest(after prefix: some StringProtocol) -> SubSequence? {
        begins(with: prefix) ? self[utf8.index(startIndex, offsetBy: prefix.utf8.count)...] : nil
    }

    /// What stands before `suffix`; nil when the text ends otherwise.
    package func rest(before suffix: some StringProtocol) -> SubSequence? {
        ends(with: suffix) ? self[..<utf8.index(endIndex, offsetBy: -suffix.utf8.count)] : nil
    }

    package func firstIndex(ofSign sign: Unicode.Scalar) -> Index? { utf8.firstIndex(of: UInt8(ascii: sign)) }

    package func lastIndex(ofSign sign: Unicode.Scalar) -> Index? { utf8.lastIndex(of: UInt8(ascii: sign)) }

    /// What stands between the places of `sign`, as `split` does it.
    package func parts(at sign: Unicode.Scalar, maxSplits: Int = .max, omittingEmpty: Bool = true) -> [SubSequence] {
        utf8.split(separator: UInt8(ascii: sign), maxSplits: maxSplits, omittingEmptySubsequences: omittingEmpty).map {
            self[$0.startIndex..<$0.endIndex]
        }
    }

    /// With `replacement` in every place of `text`, from the front; `text` is not empty.
    package func replacing(text: some StringProtocol, with replacement: String) -> String {
        var result = ""
        var rest = utf8[startIndex...]
        while let found = rest.firstRange(of: text.utf8) {
            result += self[rest.startIndex..<found.lowerBound]
            result += replacement
            rest = rest[found.upperBound...]
        }
        return result + self[rest.startIndex...]
    }

    /// With something else for the bytes that `escape` names, all of which are ASCII.
    package func escaped(_ escape: (UInt8) -> String?) -> String {
        var result = ""
        var start = startIndex
        for index in utf8.indices where utf8[index] < 0x80 {
            guard let instead = escape(utf8[index]) else { continue }
            result += self[start..<index]
            result += instead
            start = utf8.index(after: index)
        }
        return start == startIndex ? String(self) : result + self[start...]
    }

    /// Between two of the sign, which is doubled where the text has it: as SQL and CSV quote.
    package func quoted(with sign: Unicode.Scalar) -> String {
        "\(sign)" + escaped { $0 == UInt8(ascii: sign) ? "\(sign)\(sign)" : nil } + "\(sign)"
    }

    /// As a URL holds it: every byte but the unreserved ones of RFC 3986, and `kept`, as `%XX`.
    package func percentEncoded(keeping kept: Unicode.Scalar? = nil) -> String {
        var encoded = ""
        for byte in utf8 {
            let scalar = Unicode.Scalar(byte)
            if PlainName.isByte(byte) || scalar == "~" || scalar == kept {
                encoded.unicodeScalars.append(scalar)
            } else {
                encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }

    /// As a terminal or a line of a log may show it: one line, in which nothing moves the cursor, rings, colours, or reverses what is
    /// read; each such scalar is written as `\u{1B}`, and a line break or a tabulator as `\n`, `\r` or `\t`.
    package var printable: String {
        guard unicodeScalars.contains(where: \.isUnprintable) else { return String(self) }
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.isUnprintable: result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The same of several lines, in which line breaks and tabulators stay.
    package var printableLines: String {
        guard unicodeScalars.contains(where: { $0.isUnprintable && $0 != "\n" && $0 != "\t" }) else { return String(self) }
        return String(self).parts(at: "\n", omittingEmpty: false).map { line in
            line.parts(at: "\t", omittingEmpty: false).map(\.printable).joined(separator: "\t")
        }.joined(separator: "\n")
    }
}

extension Unicode.Scalar {
    /// Control characters, line and paragraph separators, and what reverses the direction of the text behind it.
    package var isUnprintable: Bool {
        switch value {
        case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }

    /// As a text of JSON may hold any scalar of the first plane: `\u001b`.
    package var jsonEscape: String {
        let digits = String(value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
