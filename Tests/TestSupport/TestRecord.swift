import Engine

/// A record as a test makes it.
package struct TestRecord: Sendable {
    /// nil for a null key.
    package var key: [UInt8]?
    /// nil for a null value.
    package var value: [UInt8]?
    package var headers: [String: [UInt8]]
    package var timestamp: EventTime?

    package init(key: [UInt8]? = nil, value: [UInt8]?, headers: [String: [UInt8]] = [:], timestamp: EventTime? = nil) {
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
    }

    package init(key: String? = nil, _ value: String?, headers: [String: String] = [:], timestamp: EventTime? = nil) {
        self.init(
            key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) }, headers: headers.mapValues { Array($0.utf8) },
            timestamp: timestamp)
    }
}

/// Calls `body` with these records, in memory that lives as long as the call.
package func withRecords<Result>(
    _ records: [TestRecord], firstOffset: Int64 = 0, _ body: (UnsafeBufferPointer<SourceRecord>) throws -> Result
) rethrows -> Result {
    let memory = RecordMemory()
    let made = records.enumerated().map { memory.record($1, at: firstOffset + Int64($0)) }
    return try withExtendedLifetime(memory) { try made.withUnsafeBufferPointer(body) }
}

/// As above, of values alone.
package func withRecords<Result>(
    _ values: [[UInt8]], firstOffset: Int64 = 0, timestamp: EventTime? = nil, _ body: (UnsafeBufferPointer<SourceRecord>) throws -> Result
) rethrows -> Result {
    try withRecords(values.map { TestRecord(value: $0, timestamp: timestamp) }, firstOffset: firstOffset, body)
}

/// Keeps the bytes of records.
private final class RecordMemory {
    private var blocks: [UnsafeMutablePointer<UInt8>] = []
    private var headers: [UnsafeMutablePointer<HeaderList>] = []

    private struct HeaderList {
        let values: [(name: ByteView, value: ByteView)]
    }

    deinit {
        for block in blocks { block.deallocate() }
        for list in headers {
            list.deinitialize(count: 1)
            list.deallocate()
        }
    }

    func record(_ record: TestRecord, at offset: Int64) -> SourceRecord {
        SourceRecord(
            offset: offset, timestamp: record.timestamp, key: record.key.map(view) ?? .null, value: record.value.map(view) ?? .null,
            headers: record.headers.isEmpty ? .none : list(record.headers)
        )
    }

    private func view(_ bytes: [UInt8]) -> ByteView {
        let block = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        block.update(from: bytes, count: bytes.count)
        blocks.append(block)
        return ByteView(start: block, count: bytes.count)
    }

    private func list(_ values: [String: [UInt8]]) -> RecordHeaders {
        let list = UnsafeMutablePointer<HeaderList>.allocate(capacity: 1)
        list.initialize(to: HeaderList(values: values.map { (view(Array($0.key.utf8)), view($0.value)) }))
        headers.append(list)
        return RecordHeaders(of: list) { owner, name, length, found in
            let list = owner.assumingMemoryBound(to: HeaderList.self).pointee
            guard let header = list.values.first(where: { $0.name == ByteView(start: name, count: length) }) else { return false }
            found.storeBytes(of: header.value, as: ByteView.self)
            return true
        }
    }
}
