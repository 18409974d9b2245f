/// What a page for people says, on one line.
enum PageText {
    /// The title of a page in HTML, else its words without the tags; the whole of any other text. By bytes: it is nobody's we know.
    static func words(of body: [UInt8]) -> String {
        let title = between("<title>", "</title>", in: body)
        var words: [UInt8] = []
        var isInTag = false
        for byte in title ?? body {
            switch byte {
            case UInt8(ascii: "<") where title == nil: isInTag = true
            case UInt8(ascii: ">") where isInTag: isInTag = false
            case _ where isInTag: continue
            case 0...0x20: if let last = words.last, last != 0x20 { words.append(0x20) }
            default: words.append(byte)
            }
        }
        while words.last == 0x20 { words.removeLast() }
        return String(decoding: words, as: UTF8.self)
    }

    private static func between(_ opening: String, _ closing: String, in body: [UInt8]) -> [UInt8]? {
        func place(of text: String, from start: Int) -> Int? {
            let wanted = Array(text.utf8)
            guard body.count - start >= wanted.count else { return nil }
            return (start...body.count - wanted.count).first { from in
                wanted.indices.allSatisfy { lowered(body[from + $0]) == wanted[$0] }
            }
        }
        guard let start = place(of: opening, from: 0), let end = place(of: closing, from: start + opening.utf8.count) else { return nil }
        return Array(body[(start + opening.utf8.count)..<end])
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte + 0x20 : byte }
}
