import Foundation

@testable import Admin

/// Snapshots with a text of the test's choice in every place where one is shown; places that are added later have it too.
enum HostileSnapshot {
    /// Markup, statements and signs that others obey, behind marks that join the character before or after them.
    static let markup =
        "\u{600}<img src=x onerror=\"document.title='ran'\">\u{301}<script>document.title='ran'</script>\u{600}\"\u{20DD}'\u{600}&\u{301}\\\u{600}\n\u{600}</style></td>\r\u{0}\u{1B}]0;ran\u{7}\u{202E}-->"

    /// Offsets and counts as a broker or somebody's state file may say them.
    static func withNumbersAtTheirLimits(_ signed: Int64, _ unsigned: UInt64) -> StatusSnapshot {
        var snapshot = StatusServerTests.snapshot()
        for index in snapshot.partitions.indices {
            snapshot.partitions[index].nextOffset = signed
            snapshot.partitions[index].endOffset = signed == .min ? .max : .min
            snapshot.partitions[index].watermark = signed
            snapshot.partitions[index].records = unsigned
            snapshot.partitions[index].rejected = unsigned
            snapshot.partitions[index].late = unsigned
            snapshot.partitions[index].skipped = ["a": unsigned, "b": unsigned]
        }
        snapshot.tables.append(snapshot.tables[0])
        for index in snapshot.tables.indices {
            snapshot.tables[index].pendingRows = Int(signed)
            snapshot.tables[index].frozenRows = Int(signed)
            snapshot.tables[index].lastFrozenBatch = unsigned
            snapshot.tables[index].rowsDelivered = unsigned
        }
        snapshot.problems = [.init(time: signed, message: "m")]
        return snapshot
    }

    static func with(_ text: String) throws -> StatusSnapshot {
        var harmless = StatusServerTests.snapshot()
        harmless.checkpoint = .init(number: 3, epoch: 40, time: 1_736_942_400_000, bytes: 1 << 20)
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(harmless))
        var snapshot = try JSONDecoder().decode(
            StatusSnapshot.self, from: JSONSerialization.data(withJSONObject: replaced(object, by: text)))
        for index in snapshot.partitions.indices where !snapshot.partitions[index].skipped.isEmpty {
            snapshot.partitions[index].skipped = [text: 2]
        }
        snapshot.problems.append(.init(time: 1_736_942_400_000, message: text, withoutRecords: text))
        return snapshot
    }

    /// Every text but those of which only certain words are allowed.
    private static func replaced(_ value: Any, by text: String, at key: String = "") -> Any {
        switch value {
        case let object as [String: Any]: return Dictionary(uniqueKeysWithValues: object.map { ($0, replaced($1, by: text, at: $0)) })
        case let list as [Any]: return list.map { replaced($0, by: text) }
        case is String where key != "phase" && key != "delivery": return text
        default: return value
        }
    }
}
