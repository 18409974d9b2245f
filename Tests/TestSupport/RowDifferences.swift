/// How the rows of a table differ from the expected ones, the order not counting: a line for each row that is missing,
/// too many, or different in some columns, the first `limit` of them. Empty when there is no difference.
package func rowDifferences(_ actual: [GoldenRow], expected: [GoldenRow], limit: Int = 20) -> [String] {
    var surplus: [GoldenRow: Int] = [:]
    for row in actual { surplus[row, default: 0] += 1 }
    var missing: [GoldenRow] = []
    for row in expected {
        if let count = surplus[row], count > 0 { surplus[row] = count - 1 } else { missing.append(row) }
    }
    var unexpected = surplus.flatMap { Array(repeating: $0.key, count: $0.value) }
    guard !missing.isEmpty || !unexpected.isEmpty else { return [] }

    var lines = ["\(actual.count) rows instead of \(expected.count): \(missing.count) missing, \(unexpected.count) unexpected"]
    for row in missing.prefix(limit) {
        guard let nearest = unexpected.indices.min(by: { distance(unexpected[$0], row) < distance(unexpected[$1], row) }),
            distance(unexpected[nearest], row) <= row.columns.count / 2
        else {
            lines.append("missing: \(GoldenValue.object(row.columns))")
            continue
        }
        lines.append(difference(of: unexpected.remove(at: nearest), from: row))
    }
    for row in unexpected.prefix(limit) { lines.append("unexpected: \(GoldenValue.object(row.columns))") }
    return lines
}

private func differingColumns(_ left: GoldenRow, _ right: GoldenRow) -> [String] {
    Set(left.columns.keys).union(right.columns.keys).filter { left.columns[$0] != right.columns[$0] }.sorted()
}

private func distance(_ left: GoldenRow, _ right: GoldenRow) -> Int { differingColumns(left, right).count }

private func difference(of actual: GoldenRow, from expected: GoldenRow) -> String {
    let columns = differingColumns(actual, expected)
    let same = expected.columns.filter {
        !columns.contains($0.key) && ["customerId", "merchantId", "eventTime", "topic", "offset"].contains($0.key)
    }
    let changes = columns.map { name in
        "\(name) is \(actual.columns[name]?.description ?? "absent"), not \(expected.columns[name]?.description ?? "absent")"
    }
    return "the row with \(GoldenValue.object(same)): " + changes.joined(separator: "; ")
}
