import Engine

/// Writes a batch's rows as JSON objects: the columns of the batch's layout as keys in their order, money as strings, times
/// as ISO 8601.
struct RowJSON: ~Copyable {
    /// A column's type and what stands before its value.
    private struct Step {
        let type: OutputType
        let prefix: [UInt8]
        let isKey: Bool
    }

    /// For the layout of the batch at hand.
    private var steps: [Step] = []
    private var layout: OutputTable?
    private var value = ByteWriter(capacity: 4 << 10)
    private var counts = CountsJSON()

    private mutating func prepare(for table: OutputTable) {
        guard layout != table else { return }
        layout = table
        steps = table.columns.enumerated().map { index, column in
            var prefix = ByteWriter()
            prefix.write(index == 0 ? "{" : ",")
            var name = column.name
            name.withUTF8 { prefix.write(jsonString: ByteView(UnsafeRawBufferPointer($0))) }
            prefix.write(":")
            return Step(type: column.type, prefix: prefix.copy(), isKey: column.name == table.keyColumn)
        }
    }

    /// Hands over each row's key (the null view without one, or when it is empty) and object, in order; both are valid
    /// only inside `body`. Throws what `body` throws, and `corrupt` for bytes that are no rows.
    mutating func forEachRow(of batch: SinkBatch, _ body: (_ key: ByteView, _ value: ByteView) throws -> Void) throws {
        prepare(for: batch.layout)
        for chunk in batch.chunks {
            try chunk.bytes.withUnsafeBytes { bytes in
                var reader = RowReader(ByteView(bytes))
                for _ in 0..<chunk.rowCount {
                    let key = write(&reader)
                    guard let key, !reader.failed else { throw damaged(batch) }
                    try body(key.isEmpty ? .null : key, value.view)
                }
                if !reader.isAtEnd { throw damaged(batch) }
            }
        }
    }

    /// Writes one row to `value`; its key, or nil when it is damaged.
    private mutating func write(_ reader: inout RowReader) -> ByteView? {
        value.removeAll()
        var key = ByteView.null
        for step in steps {
            step.prefix.withUnsafeBytes { value.write(raw: ByteView($0)) }
            switch step.type {
            case .text:
                let text = reader.text()
                if step.isKey { key = text }
                value.write(jsonStringOfAnyBytes: text)
            case .count: value.write(decimal: reader.count())
            case .number: value.write(jsonNumber: reader.number())
            case .flag:
                if reader.flag() { value.write("true") } else { value.write("false") }
            case .time: value.write(jsonTime: reader.time())
            case .amount: value.write(jsonMoney: reader.amount())
            case .sum: value.write(jsonMoney: reader.sum())
            case .textCounts:
                guard let object = counts.object(reader.textCounts()) else { return nil }
                value.write(raw: object)
            case .texts:
                guard write(list: reader.texts()) else { return nil }
            }
        }
        value.write("}")
        return key
    }

    private mutating func write(list texts: ByteView) -> Bool {
        value.write("[")
        var isFirst = true
        var reader = ByteReader(texts)
        while !reader.isAtEnd {
            let text = reader.text()
            guard !reader.failed else { return false }
            if !isFirst { value.write(",") }
            isFirst = false
            value.write(jsonStringOfAnyBytes: text)
        }
        value.write("]")
        return true
    }

    private func damaged(_ batch: SinkBatch) -> SourceError {
        SourceError(.corrupt, "batch \(batch.id) holds bytes that are no rows of its table; keep the state directory for examination")
    }
}
