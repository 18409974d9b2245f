import Testing

@testable import Engine

@Suite("Messages that another version of the job left are read by their fields' names, or not at all")
struct MessageLayoutTests {
    private static let low = StateField(name: "low", type: .unsigned), high = StateField(name: "high", type: .unsigned)
    private static let first = MessageLayout(version: 1, fields: [low, high])

    /// A batch of one message with these numbers, one after the other.
    private static func batch(_ numbers: [UInt64], lead: ((inout ByteWriter) -> Void)? = nil) -> MessageBatch {
        var payload = ByteWriter()
        lead?(&payload)
        for number in numbers { payload.write(varint: number) }
        var bytes = ByteWriter()
        bytes.write(varint: 1)
        bytes.write(byte: UInt8(ascii: "k"))
        bytes.write(text: payload.view)
        let id = MessageBatchID(from: TaskID(stage: "from", partition: 0), to: TaskID(stage: "to", partition: 0), epoch: Epoch(3))
        return MessageBatch(id: id, count: 1, bytes: bytes.copy())
    }

    /// What a batch of `numbers` in the layout `from` is in the layout `to`.
    private func read(_ numbers: [UInt64], _ from: MessageLayout, as to: MessageLayout) throws -> MessageBatch {
        try to.reading(from.stored(of: "to", since: 1)).apply(to: MessageLayoutTests.batch(numbers))
    }

    @Test func theSameLayoutLeavesThemAsTheyAre() throws {
        let batch = MessageLayoutTests.batch([1, 2])
        #expect(try read([1, 2], MessageLayoutTests.first, as: MessageLayoutTests.first) == batch)
        #expect(try read([1, 2], MessageLayout(version: 4), as: MessageLayout(version: 4)) == batch, "known to the job's code alone")
    }

    @Test func anEvolutionReadsEarlierOnes() throws {
        let (low, high) = (MessageLayoutTests.low, MessageLayoutTests.high)
        let wide = StateField(name: "high", type: .signed)
        let more = StateField(name: "more", type: .unsigned)
        let people = StateField(name: "people", type: .unsigned)
        let cases: [(MessageLayout, [UInt64])] = [
            (MessageLayout(version: 2, fields: [high, low], evolution: .from(1)), [2, 1]),
            (MessageLayout(version: 2, fields: [low, more, high], evolution: .from(1).adding("more", default: UInt64(7))), [1, 7, 2]),
            (MessageLayout(version: 2, fields: [high], evolution: .from(1).dropping("low")), [2]),
            (MessageLayout(version: 2, fields: [people, high], evolution: .from(1).renaming("low", to: "people")), [1, 2]),
            (MessageLayout(version: 2, fields: [low, wide], evolution: .from(1).widening("high", to: .signed)), [1, 4]),
        ]
        for (layout, numbers) in cases {
            #expect(try read([1, 2], MessageLayoutTests.first, as: layout) == MessageLayoutTests.batch(numbers))
        }
    }

    @Test func aVersionThatGoesBackReadsTheFieldsThatItKnows() throws {
        let (low, high) = (MessageLayoutTests.low, MessageLayoutTests.high)
        let later = MessageLayout(
            version: 2, fields: [high, StateField(name: "more", type: .text), low], evolution: .from(1).adding("more"))
        let found = try MessageLayoutTests.first.reading(later.stored(of: "to", since: 2)).apply(to: MessageLayoutTests.batch([2, 0, 1]))
        #expect(found == MessageLayoutTests.batch([1, 2]))
    }

    @Test func whatCanNotBeReadIsRefusedInWords() {
        let (low, high) = (MessageLayoutTests.low, MessageLayoutTests.high)
        func refusal(_ from: MessageLayout, _ to: MessageLayout) -> String? {
            do {
                _ = try to.reading(from.stored(of: "to", since: 1))
                return nil
            } catch {
                return error.description
            }
        }
        let first = MessageLayoutTests.first
        var forwarded = first
        forwarded.isForwarded = true
        let renamed = MessageLayout(
            version: 2, fields: [StateField(name: "people", type: .unsigned), high], evolution: .from(1).renaming("low", to: "people"))
        for (from, to, part) in [
            (MessageLayout(version: 1), MessageLayout(version: 2), "known to the job's code alone"),
            (first, MessageLayout(version: 2, fields: [low, high, StateField(name: "more", type: .bool)]), "declares no evolution"),
            (first, MessageLayout(version: 2, fields: [low], evolution: .from(1)), "high"),
            (renamed, first, "have no field low"),
            (first, MessageLayout(version: 1, fields: [low]), "raise the version"),
            (forwarded, first, "forwarded"), (first, forwarded, "forwarded"),
        ] {
            #expect(refusal(from, to)?.contains(part) == true, "\(refusal(from, to) ?? "none"), not \(part)")
        }
    }

    @Test func whatLeadsAKeyedEventStaysInFront() throws {
        var (first, second) = (
            MessageLayoutTests.first,
            MessageLayout(version: 2, fields: [MessageLayoutTests.high, MessageLayoutTests.low], evolution: .from(1))
        )
        (first.isForwarded, second.isForwarded) = (true, true)
        let lead: (inout ByteWriter) -> Void = { writer in
            let record = SourceRecord(offset: 5, timestamp: nil, key: .null, value: .null)
            KeyedEvent.write(record, at: EventTime(milliseconds: 5), watermark: EventTime(milliseconds: 9), into: &writer)
        }
        let found = try second.reading(first.stored(of: "to", since: 1)).apply(to: MessageLayoutTests.batch([1, 2], lead: lead))
        #expect(found == MessageLayoutTests.batch([2, 1], lead: lead))
    }

    @Test func damageIsToldFromANumberThatDoesNotFit() {
        let first = MessageLayoutTests.first
        let signed = MessageLayout(
            version: 2, fields: [MessageLayoutTests.low, StateField(name: "high", type: .signed)],
            evolution: .from(1).widening("high", to: .signed))
        #expect(throws: MessageReadingFailure.doesNotFit) { try read([1, .max], first, as: signed) }
        #expect(throws: MessageReadingFailure.damaged) { try read([1], first, as: signed) }
        #expect(throws: MessageReadingFailure.damaged) { try read([1, 2, 3], first, as: signed) }
    }
}
