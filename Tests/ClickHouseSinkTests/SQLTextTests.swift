import Engine
import Testing

@testable import ClickHouseSink

@Suite("SQL texts")
struct SQLTextTests {
    @Test func quotesWhatCouldEndAText() {
        #expect(SQLText.string("it's a \\") == #"'it\'s a \\'"#)
        #expect(SQLText.identifier("a`b") == #"`a\`b`"#)
        #expect(SQLText.table("my db", "t") == "`my db`.`t`")
    }

    @Test func encodesEveryByteThatAURLCouldMisread() {
        #expect("a b/ä&=+%".percentEncoded() == "a%20b%2F%C3%A4%26%3D%2B%25")
        #expect("\n".percentEncoded() == "%0A")
    }

    @Test func readsTabSeparatedAnswers() {
        let rows = SQLText.rows(tabSeparated: [UInt8]("a\\tb\t\\'x\\\\\n\t2\n".utf8))
        #expect(rows == [["a\tb", "'x\\"], ["", "2"]])
    }
}
