import Engine

/// A partitioned log whose records arrive over virtual time.
package struct SimulatedLog {
    package struct Record {
        /// When the record is there to be read.
        package let arrival: Duration
        package let key: [UInt8]
        package let value: [UInt8]

        package init(arrival: Duration, key: [UInt8], value: [UInt8]) {
            self.arrival = arrival
            self.key = key
            self.value = value
        }
    }

    /// The records of each partition, in order of arrival: a record's index is its offset.
    package private(set) var records: [TopicPartition: [Record]]

    package init(records: [TopicPartition: [Record]]) {
        for partition in records.values {
            precondition(
                zip(partition, partition.dropFirst()).allSatisfy { $0.arrival <= $1.arrival }, "records arrive in order of their offsets")
        }
        self.records = records
    }

    /// How many partitions each topic has.
    package var partitionCounts: [String: Int] {
        Dictionary(grouping: records.keys, by: \.topic).mapValues(\.count)
    }

    /// When the last record is there.
    package var lastArrival: Duration { records.values.compactMap { $0.last?.arrival }.max() ?? .zero }

    /// The offset after the last record that is there at `now`.
    package func end(of partition: TopicPartition, now: Duration) -> Int64 {
        let all = records[partition] ?? []
        var (low, high) = (0, all.count)
        while low < high {
            let middle = (low + high) / 2
            if all[middle].arrival <= now { low = middle + 1 } else { high = middle }
        }
        return Int64(low)
    }

    /// Hands over the records from `offset` on, at most `maximum`; returns the offset after the last one.
    package func read(
        _ partition: TopicPartition, from offset: Int64, maximum: Int, now: Duration,
        _ body: (UnsafeBufferPointer<SourceRecord>) throws -> Void
    ) rethrows -> Int64 {
        let end = min(end(of: partition, now: now), offset + Int64(maximum))
        guard offset < end, let all = records[partition]?[Int(offset)..<Int(end)] else { return offset }
        var bytes = ByteWriter()
        var places: [(key: Int, value: Int)] = []
        for record in all {
            places.append((bytes.count, bytes.count + record.key.count))
            record.key.withUnsafeBytes { bytes.write(raw: ByteView($0)) }
            record.value.withUnsafeBytes { bytes.write(raw: ByteView($0)) }
        }
        let start = bytes.view.start.unsafelyUnwrapped
        let handed = zip(all, places).enumerated().map { index, pair in
            SourceRecord(
                offset: offset + Int64(index), timestamp: nil, key: ByteView(start: start + pair.1.key, count: pair.0.key.count),
                value: ByteView(start: start + pair.1.value, count: pair.0.value.count)
            )
        }
        try handed.withUnsafeBufferPointer(body)
        return end
    }
}
