import Engine

/// A column of a state table where it is shown as a table, in SQL for one.
package struct StateColumn: Sendable {
    package enum Content: Sendable {
        case partition
        case window
        case key
        case timer
        /// The field's place in the schema.
        case field(Int)
    }

    package let name: String
    package let content: Content
    /// True for INTEGER, false for TEXT.
    package let isInteger: Bool
}

extension StoredTable {
    /// `partition`, `window` (of a windowed table), `key`, `timer` (of a table with timers), then the fields. Where a field
    /// has one of these names, ours has an underscore in front.
    ///
    /// Numbers are INTEGER, those beyond 64 bits TEXT; times are TEXT such as `2025-01-15T12:00:00.250Z`; sets, counts and
    /// lists are TEXT with JSON, for `json_each`.
    package var columns: [StateColumn] {
        let fields = schema.fields
        func own(_ name: String) -> String { fields.contains { $0.name == name } ? "_" + name : name }
        var columns = [StateColumn(name: own("partition"), content: .partition, isInteger: true)]
        if isWindowed { columns.append(StateColumn(name: own("window"), content: .window, isInteger: false)) }
        columns.append(StateColumn(name: own("key"), content: .key, isInteger: false))
        if schema.hasTimer { columns.append(StateColumn(name: own("timer"), content: .timer, isInteger: false)) }
        for (index, field) in fields.enumerated() {
            let isInteger =
                switch field.type {
                case .bool, .unsigned, .signed, .signed128: true
                case .time, .text, .textSet, .textCounts, .recentNumbers, .bucketSums, .lastSeenTexts: false
                }
            columns.append(StateColumn(name: field.name, content: .field(index), isInteger: isInteger))
        }
        return columns
    }

    /// The columns as a `CREATE TABLE` lists them.
    var columnDeclarations: String {
        columns.map { column in
            "\(column.name.quoted(with: "\"")) \(column.isInteger ? "INTEGER" : "TEXT")"
        }.joined(separator: ", ")
    }
}

extension StateRow {
    /// A column's value as SQL has it; `fields` are the row's `values()`.
    func sqlValue(_ content: StateColumn.Content, fields: () throws -> [StateValue]) rethrows -> StateQuery.Value {
        switch content {
        case .partition: .integer(Int64(partition))
        case .window: window.map { .text($0.text) } ?? .null
        case .key: .text(StateText.key(key))
        case .timer: timer.map { .text($0.text) } ?? .null
        case .field(let index): try fields()[index].sqlValue
        }
    }
}

extension StateValue {
    /// As SQL has it: see `StoredTable.columns`.
    package var sqlValue: StateQuery.Value {
        switch self {
        case .bool(let value): .integer(value ? 1 : 0)
        case .unsigned(let number): Int64(exactly: number).map { .integer($0) } ?? .text(String(number))
        case .signed(let number): .integer(number)
        case .signed128(let number): Int64(exactly: number).map { .integer($0) } ?? .text(String(number))
        case .time(let time): .text(time.text)
        case .text(let bytes): .text(StateText.field(bytes))
        case .textSet, .textCounts, .recentNumbers, .bucketSums, .lastSeenTexts: .text(json)
        }
    }

    /// As JSON: texts and times in quotes, sets and lists as arrays, counts, sums and times by name or bucket as objects.
    package var json: String {
        switch self {
        case .bool(let value): value ? "true" : "false"
        case .unsigned(let number): String(number)
        case .signed(let number): String(number)
        case .signed128(let number): String(number)
        case .time(let time): quotedJSON(time.text)
        case .text(let bytes): quotedJSON(StateText.field(bytes))
        case .textSet(let texts): "[" + texts.map { quotedJSON(StateText.field($0)) }.joined(separator: ",") + "]"
        case .textCounts(let counts):
            "{" + counts.map { "\(quotedJSON(StateText.field($0.text))):\($0.count)" }.joined(separator: ",") + "}"
        case .recentNumbers(let numbers): "[" + numbers.map(String.init).joined(separator: ",") + "]"
        case .bucketSums(let sums): "{" + sums.map { "\"\($0.bucket)\":\($0.sum)" }.joined(separator: ",") + "}"
        case .lastSeenTexts(let seen):
            "{"
                + seen.map {
                    "\(quotedJSON(StateText.field($0.text))):\(quotedJSON($0.time.text))"
                }.joined(separator: ",") + "}"
        }
    }
}
