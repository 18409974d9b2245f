import Engine

/// Records of one partition that wait for a schema, copied: what a source hands over is only lent.
final class HeldRecords {
    let partition: TopicPartition
    private var records: [SourceRecord]
    private let memory: UnsafeMutablePointer<UInt8>
    private var headers: [HeldHeaders] = []
    private var next = 0

    /// `headerNames`: the headers that are kept with them.
    init(_ records: UnsafeBufferPointer<SourceRecord>, of partition: TopicPartition, headerNames: [[UInt8]]) {
        self.partition = partition
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(records.reduce(0) { $0 + $1.byteCount }, 1))
        self.memory = memory
        var used = 0
        func copy(_ bytes: ByteView) -> ByteView {
            guard let start = bytes.start else { return .null }
            let place = memory + used
            place.update(from: start, count: bytes.count)
            used += bytes.count
            return ByteView(start: place, count: bytes.count)
        }
        var kept: [HeldHeaders] = []
        self.records = records.map { record in
            let headers = HeldHeaders(record, names: headerNames)
            if let headers { kept.append(headers) }
            return SourceRecord(
                offset: record.offset, timestamp: record.timestamp, key: copy(record.key), value: copy(record.value),
                headers: headers?.view ?? .none
            )
        }
        headers = kept
    }

    deinit { memory.deallocate() }

    /// Hands over the records from the next one on for as long as `isReady` is true of them, at most `maximum`; returns how many.
    func handOver(_ maximum: Int, while isReady: (SourceRecord) -> Bool, _ handle: (SourceEvent) -> Void) -> Int {
        records.withUnsafeBufferPointer { records in
            let rest = UnsafeBufferPointer(rebasing: records[next...].prefix(maximum))
            let count = rest.firstIndex { !isReady($0) } ?? rest.count
            if count > 0 { handle(.records(partition, UnsafeBufferPointer(rebasing: rest[..<count]))) }
            next += count
            return count
        }
    }

    var isEmpty: Bool { next == records.count }
    var rest: ArraySlice<SourceRecord> { records[next...] }
}
