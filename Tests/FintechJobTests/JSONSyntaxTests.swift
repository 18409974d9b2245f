import Engine
import FintechJob
import TestSupport
import Testing

@Suite("A value is JSON as RFC 8259 has it, all of it, or malformed")
struct JSONSyntaxTests {
    /// `x` is a field that nobody wants: its value is checked all the same.
    static let cases = #"""
        x: {"a":[1,-2.5e+7,true,false,null,"s",{},[]]} => event id=t1
        x: "\"\\\/\b\f\n\r\t\u0000\uFFFF" => event id=t1
        x: "\ud83d\ude80" => event id=t1
        x: "\ud83d" => rejected malformed_json
        x: "\ud83d\n" => rejected malformed_json
        x: "\ud83d\ud83d" => rejected malformed_json
        x: "\ude80\ud83d" => rejected malformed_json
        x: "\ude80" => rejected malformed_json
        x: "\ude80\ude80" => rejected malformed_json
        x: "\ud83dx\ude80" => rejected malformed_json
        x: {"\udc00":1} => rejected malformed_json
        x: ["\ud800"] => rejected malformed_json
        x: "\u12G4" => rejected malformed_json
        x: "\u12 => rejected malformed_json
        x: "\q" => rejected malformed_json
        x: "\U0041" => rejected malformed_json
        x: "\ => rejected malformed_json
        x: "open => rejected malformed_json
        x: "tab\x09" => rejected malformed_json
        x: "line\x0a" => rejected malformed_json
        x: "nul\x00" => rejected malformed_json
        x: "\x1f" => rejected malformed_json
        x: "\x7f" => event id=t1
        x: "\xc3\xa9" => event id=t1
        x: "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf" => event id=t1
        x: "\xff" => rejected malformed_json
        x: "\x80" => rejected malformed_json
        x: "\xc3" => rejected malformed_json
        x: "\xc3(" => rejected malformed_json
        x: "\xc0\xaf" => rejected malformed_json
        x: "\xc1\xbf" => rejected malformed_json
        x: "\xe0\x9f\xbf" => rejected malformed_json
        x: "\xe2\x82" => rejected malformed_json
        x: "\xed\xa0\x80" => rejected malformed_json
        x: "\xed\xbf\xbf" => rejected malformed_json
        x: "\xf0\x8f\xbf\xbf" => rejected malformed_json
        x: "\xf4\x90\x80\x80" => rejected malformed_json
        x: "\xf5\x80\x80\x80" => rejected malformed_json
        x: "12345678\xe2\x82\xac12345678" => event id=t1
        x: "12345678\xe2\x82\x2c12345678" => rejected malformed_json
        x: \xe2\x82\xac => rejected malformed_json
        x: 01 => rejected malformed_json
        x: -01 => rejected malformed_json
        x: \x2d => rejected malformed_json
        x: -- => rejected malformed_json
        x: +1 => rejected malformed_json
        x: .5 => rejected malformed_json
        x: 1. => rejected malformed_json
        x: 1.e5 => rejected malformed_json
        x: 1e => rejected malformed_json
        x: 1e+ => rejected malformed_json
        x: 0x10 => rejected malformed_json
        x: 1_000 => rejected malformed_json
        x: -0.0e-00 => event id=t1
        x: nul => rejected malformed_json
        x: nulll => rejected malformed_json
        x: True => rejected malformed_json
        x: falsy => rejected malformed_json
        x: 'a' => rejected malformed_json
        x:  => rejected malformed_json
        x: [1,] => rejected malformed_json
        x: [,1] => rejected malformed_json
        x: [1 2] => rejected malformed_json
        x: [1}] => rejected malformed_json
        x: [[1] => rejected malformed_json
        x: {"a":1,} => rejected malformed_json
        x: {"a" 1} => rejected malformed_json
        x: {"a"} => rejected malformed_json
        x: {a:1} => rejected malformed_json
        x: {1:1} => rejected malformed_json
        x: {"a":1]} => rejected malformed_json
        x: {"a":1 "b":2} => rejected malformed_json
        x: {,} => rejected malformed_json
        x: \x20[\x09\x0a\x0d{\x20"a"\x20:\x201\x20,\x20"b":[\x20]\x20}\x20]\x20 => event id=t1
        x: [\x0b] => rejected malformed_json
        x: [\xc2\xa0] => rejected malformed_json
        x: 1/*c*/ => rejected malformed_json
        # The row itself lies one deep: 511 more are allowed.
        x: <<[*511>><<]*511>> => event id=t1
        x: <<[*512>><<]*512>> => rejected malformed_json
        x: <<{"a":*511>>1<<}*511>> => event id=t1
        x: <<{"a":*512>>1<<}*512>> => rejected malformed_json
        x: <<[*100000>> => rejected malformed_json
        x: <<[{"a":*100>>1<<}]*100>> => event id=t1
        x: <<[{"a":*100>>1<<]}*100>> => rejected malformed_json
        value: <<[*512>><<]*512>> => rejected malformed_json
        value: $row\x20\x0d\x0a => event id=t1
        value: \x09$row => event id=t1
        value: $row$row => rejected malformed_json
        value: $row, => rejected malformed_json
        value: $row} => rejected malformed_json
        value: $row\x00 => rejected malformed_json
        value: \xef\xbb\xbf$row => rejected malformed_json
        value: {"id":"x","amount": => rejected malformed_json
        value: {"id":"a","id":} => rejected malformed_json
        value: { => rejected malformed_json
        value: {" => rejected malformed_json
        value: {"a => rejected malformed_json
        value: {"a" => rejected malformed_json
        value: {"a": => rejected malformed_json
        value: {"a":1 => rejected malformed_json
        value: {"a":1, => rejected malformed_json
        value: {"a":1,} => rejected malformed_json
        value: {,"a":1} => rejected malformed_json
        value: n => rejected malformed_json
        value: nul => rejected malformed_json
        value: null x => rejected malformed_json
        value: - => rejected malformed_json
        value: " => rejected malformed_json
        """#

    @Test(arguments: DecoderCase.table(cases, plainRow: TransactionDecoderTests.plainRow))
    func holds(_ line: DecoderCase) { line.check(.transaction(line.value)) }

    @Test func aBadByteIsFoundWhereverItStandsInAString() {
        for length in 0..<40 {
            for place in 0...length {
                for bad: UInt8 in [0x00, 0x1F, 0x0A, 0x80, 0xFF] {
                    var text = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                    text.insert(bad, at: place)
                    let value = Array(#"{"x":""#.utf8) + text + Array(#""}"#.utf8)
                    #expect(DecoderOutcome.transaction(value).text == "rejected malformed_json", "byte \(bad) at \(place) of \(length)")
                }
            }
        }
    }

    @Test func everyPrefixOfAValueIsMalformedWithoutReadingBehindItsEnd() throws {
        let value = try GoldenCase.edge.input("fintech.public.transactions")[0][7]
        for length in 1..<value.count {
            #expect(DecoderOutcome.transaction(Array(value[..<length])).text == "rejected malformed_json", "the first \(length) bytes")
        }
    }
}
