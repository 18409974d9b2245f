/// What jobs, tables, columns and topics may be called: what Kafka, ClickHouse, file paths and every statement take as it is.
package enum PlainName {
    /// Letters, digits, dots, dashes and underscores of ASCII.
    package static func isByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The most bytes of a topic's name, which is Kafka's limit, and of a table's and a column's.
    package static let longest = 249
    /// The most bytes of a job's name.
    package static let longestJob = 64

    /// True for 1 to `limit` of those bytes.
    package static func isPlain(_ name: some StringProtocol, upTo limit: Int = longest) -> Bool {
        (1...limit).contains(name.utf8.count) && name.utf8.allSatisfy(isByte)
    }

    /// True for the name of an output table, with the sink's behind an `@` where it is another than the first.
    package static func isOutputTable(_ name: String) -> Bool {
        name.parts(at: "@", maxSplits: 1, omittingEmpty: false).allSatisfy { isPlain($0) }
    }
}
