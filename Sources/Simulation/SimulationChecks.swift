import Engine

/// What must hold of a sink's rows when a job is over.
package enum SimulationChecks {
    /// What is wrong with `rows`: another content than `expected`, a name used twice, a gap in the numbers.
    package static func differences(_ rows: [SimulatedSink.Row], _ expected: [String]) -> [String] {
        contents(rows.map(\.text), expected) + names(rows)
    }

    /// Each expected row once, and no other.
    package static func contents(_ rows: [String], _ expected: [String]) -> [String] {
        var missing: [String: Int] = [:]
        for row in expected { missing[row, default: 0] += 1 }
        for row in rows { missing[row, default: 0] -= 1 }
        return missing.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { row, count in
            count > 0 ? "missing \(count) time(s): \(row)" : "\(-count) time(s) too many: \(row)"
        }
    }

    /// Provenance: no two rows share table, lineage, batch and row; a lineage's batches count from 1, their rows from 0.
    static func names(_ rows: [SimulatedSink.Row]) -> [String] {
        var found: [String] = []
        var byBatch: [SinkBatchID: [Int]] = [:]
        for row in rows { byBatch[row.batch, default: []].append(row.row) }
        for (batch, numbers) in byBatch where numbers.sorted() != Array(0..<numbers.count) {
            found.append("\(batch) has the rows \(numbers.sorted())")
        }
        for table in Dictionary(grouping: byBatch.keys, by: \.table).values {
            for (lineage, batches) in Dictionary(grouping: table, by: \.lineage) {
                let numbers = batches.map(\.number.number).sorted()
                if numbers != Array(1...UInt64(numbers.count)) {
                    found.append("table \(table[0].table) has the batches \(numbers) of lineage \(lineage)")
                }
            }
        }
        return found.sorted()
    }
}
