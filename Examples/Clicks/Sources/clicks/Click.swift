import Engine

/// A visit to a page. A record's value is `page time`, such as `home 61000`.
struct Click: BitwiseCopyable {
    let page: ByteView
}

struct ClickDecoder: EventDecoder {
    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Click> {
        guard !record.value.isNull else { return .skipped("null value") }
        let words = record.value.buffer.split(separator: UInt8(ascii: " "))
        guard words.count == 2 else { return .rejected(Rejection("malformed")) }
        guard let time = number(words[1]) else { return .rejected(Rejection("bad_value", field: "time")) }
        let page = ByteView(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: words[0])))
        return .event(Click(page: page), at: EventTime(milliseconds: time))
    }

    /// At most 15 digits.
    private func number(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
        guard digits.count <= 15, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }
}
