import Simulation

@testable import Engine

/// A value of any field, computed with instead of bytes: what the migration of bytes is compared with.
enum ModelValue: Equatable {
    case number(StateFieldType, Int128)
    /// Of the types that no conversion of the model takes apart: the encoded value.
    case block(StateFieldType, [UInt8])

    var type: StateFieldType {
        switch self {
        case .number(let type, _), .block(let type, _): type
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .number(.bool, let number): (number != 0).encodedField
        case .number(.unsigned, let number): UInt64(number).encodedField
        case .number(.signed, let number): Int64(number).encodedField
        case .number(.time, let number): EventTime(milliseconds: Int64(number)).encodedField
        case .number(_, let number): number.encodedField
        case .block(_, let bytes): bytes
        }
    }

    static func random(_ type: StateFieldType, _ random: inout SeededRandom) -> ModelValue {
        let small = Int128(random.number(in: -1000...1000))
        switch type {
        case .bool: return .number(.bool, Int128(random.number(in: 0...1)))
        case .unsigned: return .number(.unsigned, random.percent(20) ? Int128(Int64.max) : abs(small))
        case .signed, .time: return .number(type, random.percent(20) ? Int128(Int64.min) : small)
        case .signed128: return .number(type, random.percent(20) ? .min : small)
        case .text: return .block(type, TextField(text(&random)).encodedField)
        case .textSet:
            var set = TextSet()
            for _ in 0..<random.number(in: 0...4) { text(&random).withBytes { set.insert($0) } }
            return .block(type, set.encodedField)
        case .textCounts:
            var counts = TextCounts()
            for _ in 0..<random.number(in: 0...4) { text(&random).withBytes { counts.increment($0) } }
            return .block(type, counts.encodedField)
        case .recentNumbers:
            var numbers = RecentNumbers()
            for _ in 0..<random.number(in: 0...5) {
                numbers.append(Int64(random.number(in: -9...9)) << Int64(random.number(in: 0...60)), keeping: 4)
            }
            return .block(type, numbers.encodedField)
        case .bucketSums:
            var sums = BucketSums()
            for _ in 0..<random.number(in: 0...5) { sums.add(Int64(small), to: Int64(random.number(in: -3...3)), keeping: 4) }
            return .block(type, sums.encodedField)
        case .lastSeenTexts:
            var seen = LastSeenTexts()
            for _ in 0..<random.number(in: 0...4) {
                let time = EventTime(milliseconds: Int64(random.number(in: -500...500)))
                text(&random).withBytes { seen.note($0, at: time, keeping: 3) }
            }
            return .block(type, seen.encodedField)
        }
    }

    private static func text(_ random: inout SeededRandom) -> String {
        String(repeating: "ab", count: random.percent(10) ? 100 : random.number(in: 0...3)) + String(random.number(in: 0...9))
    }

    static let types: [StateFieldType] = [
        .bool, .unsigned, .signed, .signed128, .time, .text, .textSet, .textCounts, .recentNumbers, .bucketSums, .lastSeenTexts,
    ]
}

/// A declaration over several versions drawn from a seed, and what it does to a record of values.
struct RandomEvolution {
    /// Names are compile-time texts, so that they can be declared.
    private static let names: [StaticString] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"]

    let stored: StateSchema
    let declared: StateDeclaration
    /// By name, in the order in which they are stored.
    private(set) var steps: [(inout [String: ModelValue]) -> Void] = []
    /// What an earlier version finds, by name; nil: what the record before has.
    private(set) var stepsBack: [(inout [String: ModelValue?]) -> Void] = []

    init(_ random: inout SeededRandom) {
        let hasTimer = random.percent(50)
        var unused = RandomEvolution.names.shuffled(using: &random)
        var fields: [(name: StaticString, type: StateFieldType)] = []
        for _ in 0..<random.number(in: 0...7) { fields.append((unused.removeLast(), ModelValue.types.randomElement(using: &random)!)) }
        stored = RandomEvolution.schema(1, hasTimer, fields)
        var evolution = StateEvolution.from(1)
        for change in 0..<random.number(in: 0...8) {
            if change == 4 { evolution = evolution.from(3) }
            let place = fields.isEmpty ? nil : random.number(in: 0...(fields.count - 1))
            switch (random.number(in: 0...4), place) {
            case (0, let place?):
                let new = unused.removeLast()
                let old = fields[place].name
                evolution = evolution.renaming(old, to: new)
                fields[place].name = new
                let (from, to) = (String(describing: old), String(describing: new))
                steps.append { $0[to] = $0.removeValue(forKey: from) }
                stepsBack.append { record in
                    let value = record.removeValue(forKey: to)
                    record[from] = value
                }
            case (1, let place?):
                let name = fields.remove(at: place).name
                let key = String(describing: name)
                evolution = evolution.dropping(name)
                steps.append { $0[key] = nil }
                stepsBack.append { $0[key] = .some(nil) }
            case (2, let place?) where fields[place].type == .unsigned || fields[place].type == .signed || fields[place].type == .bool:
                let (name, from) = fields[place]
                let to: StateFieldType = from == .signed || random.percent(50) ? .signed128 : .signed
                let key = String(describing: name)
                evolution = evolution.widening(name, to: to)
                fields[place].type = to
                steps.append { if case .number(_, let number)? = $0[key] { $0[key] = .number(to, number) } }
                stepsBack.append { record in
                    guard case .number(_, let number)?? = record[key] else { return }
                    let least: Int128 = from == .signed ? Int128(Int64.min) : 0
                    let greatest: Int128 = from == .signed ? Int128(Int64.max) : from == .bool ? 1 : Int128(UInt64.max)
                    record[key] = .number(from, min(max(number, least), greatest))
                }
            case (3, let place?) where fields[place].type == .time:
                let name = fields[place].name
                let key = String(describing: name)
                let hasBack = random.percent(50)
                let forth: @Sendable (EventTime) -> TextField = { TextField(String($0.milliseconds)) }
                let back: @Sendable (TextField) -> EventTime = { EventTime(milliseconds: Int64($0.view.text) ?? 0) }
                evolution = hasBack ? evolution.converting(name, forth, back: back) : evolution.converting(name, forth)
                fields[place].type = .text
                steps.append {
                    if case .number(_, let number)? = $0[key] { $0[key] = .block(.text, TextField(String(number)).encodedField) }
                }
                stepsBack.append { record in
                    guard hasBack, case .block(_, let bytes)?? = record[key] else {
                        record[key] = .some(nil)
                        return
                    }
                    let text = bytes.withView { TextField.decodedField($0)!.view.text }
                    record[key] = .number(.time, Int128(Int64(text) ?? 0))
                }
            default:
                let name = unused.removeLast()
                let key = String(describing: name)
                let initial = UInt64(random.number(in: 0...1000))
                evolution = evolution.adding(name, default: initial)
                fields.append((name, .unsigned))
                steps.append { $0[key] = .number(.unsigned, Int128(initial)) }
                stepsBack.append { $0[key] = nil }
            }
        }
        declared = StateDeclaration(schema: RandomEvolution.schema(4, hasTimer, fields.shuffled(using: &random)), evolution: evolution)
    }

    private static func schema(_ version: Int, _ hasTimer: Bool, _ fields: [(name: StaticString, type: StateFieldType)]) -> StateSchema {
        StateSchema(
            table: "t", version: version, key: .key, hasTimer: hasTimer,
            fields: fields.map { StateField(name: String(describing: $0.name), type: $0.type) }
        )
    }

    static func encode(_ record: [String: ModelValue], timer: Int64, _ schema: StateSchema) -> [UInt8] {
        var bytes: [UInt8] = schema.hasTimer ? timer.encodedField : []
        for field in schema.fields { bytes += record[field.name]!.bytes }
        return bytes
    }
}
