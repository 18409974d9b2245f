import Engine
import Testing

@Suite("Text that others wrote is searched, split and escaped by its UTF-8: no mark that combines hides a sign")
struct ForeignTextTests {
    /// Each combines with the sign behind or before it into one Character.
    private static let marks = ["\u{600}", "\u{301}", "\u{200D}", "\u{FE0F}", "\u{1F1E9}", "\u{110BD}"]

    /// Every ASCII sign that something is escaped or split at, between marks.
    private static func hidden(_ sign: Unicode.Scalar) -> [String] {
        marks.flatMap { ["a\($0)\(sign)b", "a\(sign)\($0)b", "a\($0)\(sign)\($0)b"] }
    }

    private static let signs: [Unicode.Scalar] = [
        "<", ">", "&", "\"", "'", "`", "\\", "/", ":", "=", ",", "@", "|", "\n", "\r", ";", "?", "#",
    ]

    @Test func everySignIsFoundWhateverCombinesWithIt() {
        for sign in ForeignTextTests.signs {
            for text in ForeignTextTests.hidden(sign) {
                #expect(text.holds("\(sign)"))
                #expect(text.firstIndex(ofSign: sign) != nil && text.lastIndex(ofSign: sign) == text.firstIndex(ofSign: sign))
                #expect(text.parts(at: sign).count == 2 && text.parts(at: sign).joined(separator: "\(sign)").utf8.elementsEqual(text.utf8))
                let escaped = text.escaped { $0 == UInt8(ascii: sign) ? "[]" : nil }
                #expect(!escaped.utf8.contains(UInt8(ascii: sign)) && escaped.utf8.count == text.utf8.count + 1)
                #expect(text.replacing(text: "\(sign)", with: "[]").utf8.elementsEqual(escaped.utf8))
            }
        }
    }

    @Test func beginningsAndEndsAreThoseOfTheBytes() {
        #expect("tag:\u{301}name".rest(after: "tag:").map { Array($0.utf8) } == Array("\u{301}name".utf8))
        #expect("name\u{301}/".rest(before: "/").map { Array($0.utf8) } == Array("name\u{301}".utf8))
        #expect(!"name/\u{301}".ends(with: "/") && "/".rest(before: "/") == "" && "".rest(after: "/") == nil)
        #expect(!"\u{E9}".begins(with: "e\u{301}"), "no canonical equivalence")
    }

    @Test func whatIsSplitIsAsSplitHasIt() {
        for text in ["", "/", "a", "a/b", "/a//b/", "///"] {
            for isOmitting in [true, false] {
                let expected = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: isOmitting)
                #expect(text.parts(at: "/", maxSplits: 2, omittingEmpty: isOmitting) == expected, "\(text)")
            }
        }
    }

    @Test func whatIsPrintedMovesNoCursorAndStaysOnItsLine() {
        for value in Array(0...0x9F as ClosedRange<UInt32>) + [0x61C, 0x200E, 0x2028, 0x202E, 0x2066, 0x2069, 0xFEFF] {
            let scalar = Unicode.Scalar(value)!
            let isPlain = (0x20...0x7E).contains(value)
            let text = "a\u{600}\(scalar)b"
            #expect(text.printable.unicodeScalars.contains(scalar) == isPlain, "U+\(String(value, radix: 16))")
            #expect(quotedJSON(text).unicodeScalars.dropFirst().dropLast().contains(scalar) == isPlain, "U+\(String(value, radix: 16))")
            #expect(text.printableLines.unicodeScalars.contains(scalar) == (isPlain || value == 9 || value == 10))
        }
        #expect("a\u{1B}[2Kb\r\nc\td".printable == "a\\u{1B}[2Kb\\r\\nc\\td")
        #expect("Ünïcode 日本 🏦".printable == "Ünïcode 日本 🏦")
    }

    @Test func namesAreTheFewSignsThatEveryPlaceTakes() {
        for name in ["a", "customer_transaction_metrics", "A.b-c_9"] { #expect(PlainName.isPlain(name)) }
        for name in ["", "a b", "a'", "x\u{600}' OR 1", "é", "a/b", "a\n", String(repeating: "a", count: 250)] {
            #expect(!PlainName.isPlain(name), "\(name)")
        }
        #expect(PlainName.isOutputTable("alerts@kafka") && !PlainName.isOutputTable("@kafka") && !PlainName.isOutputTable("a@b@c"))
    }
}
