import Avro
import Dispatch
import Engine

/// Hands on what a reader reads, each record when the schemas that it names are known.
///
/// While one is not, nothing more is read: what was read is kept, in order, and polls come back empty after their time, so that the
/// thread that reads goes on with everything else. How much is kept is bounded by what one poll of the reader gives.
final class RegistryReader: RecordReader {
    private enum Held {
        case records(HeldRecords)
        case end(TopicPartition, next: Int64)
    }

    private let reader: any RecordReader
    private let schemas: RegisteredSchemas
    private let framing: SchemaFraming
    private let headerNames: [[UInt8]]
    private var held: [Held] = []
    private let news = DispatchSemaphore(value: 0)
    /// Schemas that are there and need not be looked for: nearly every record names that of the one before it.
    private var (lastOfKey, lastOfValue): (SchemaID?, SchemaID?)

    init(_ reader: any RecordReader, schemas: RegisteredSchemas, framing: SchemaFraming, headerNames: [[UInt8]]) {
        self.reader = reader
        self.schemas = schemas
        self.framing = framing
        self.headerNames = headerNames
        schemas.notify(news)
    }

    deinit { schemas.forget(news) }

    func poll(maximumRecords: Int, timeout: Duration, _ handle: (SourceEvent) -> Void) throws {
        if schemas.isFull {
            throw RegistryError(
                .invalid,
                "records name more than \(RegisteredSchemas.schemaLimit) schemas, or more than \(RegisteredSchemas.byteLimit >> 20) MiB of them: no topic has so many; see who writes them, and start again"
            )
        }
        guard !held.isEmpty else {
            return try reader.poll(maximumRecords: maximumRecords, timeout: timeout) { take($0, handle) }
        }
        if handOver(maximumRecords, handle) > 0 { return }
        // What the registry did not know may have been forgotten meanwhile, before the record that waits for it could go on.
        if case .records(let records)? = held.first, let waiting = records.rest.first {
            schemas.want(ids(waiting).filter { !schemas.isKnown($0) })
        }
        _ = news.wait(timeout: .now() + timeout.dispatchInterval)
        _ = handOver(maximumRecords, handle)
    }

    var waitsFor: String? { held.isEmpty ? nil : schemas.trouble ?? "reading waits for an answer of the schema registry" }

    private func take(_ event: SourceEvent, _ handle: (SourceEvent) -> Void) {
        switch event {
        case .end(let partition, let next):
            if held.isEmpty { handle(event) } else { held.append(.end(partition, next: next)) }
        case .records(let partition, let records):
            let known = held.isEmpty ? records.firstIndex { !isReady($0) } ?? records.count : 0
            if known == records.count { return handle(event) }
            if known > 0 { handle(.records(partition, UnsafeBufferPointer(rebasing: records[..<known]))) }
            let rest = HeldRecords(UnsafeBufferPointer(rebasing: records[known...]), of: partition, headerNames: headerNames)
            held.append(.records(rest))
            schemas.want(rest.rest.flatMap(ids).filter { !schemas.isKnown($0) })
        }
    }

    /// Hands over what was kept, as far as its schemas are known; returns how many records and ends.
    private func handOver(_ maximumRecords: Int, _ handle: (SourceEvent) -> Void) -> Int {
        var count = 0
        while let first = held.first, count < max(1, maximumRecords) {
            switch first {
            case .end(let partition, let next):
                handle(.end(partition, next: next))
                count += 1
            case .records(let records):
                count += records.handOver(max(1, maximumRecords) - count, while: isReady, handle)
                guard records.isEmpty else { return count }
            }
            held.removeFirst()
        }
        return count
    }

    private func isReady(_ record: SourceRecord) -> Bool {
        if let id = framing.value(of: record)?.schema, id != lastOfValue {
            guard schemas.isKnown(id) else { return false }
            lastOfValue = schemas.schema(id) == .missing ? nil : id
        }
        if let id = framing.key(of: record)?.schema, id != lastOfKey {
            guard schemas.isKnown(id) else { return false }
            lastOfKey = schemas.schema(id) == .missing ? nil : id
        }
        return true
    }

    private func ids(_ record: SourceRecord) -> [SchemaID] {
        [framing.value(of: record)?.schema, framing.key(of: record)?.schema].compactMap { $0 }
    }
}

extension Duration {
    fileprivate var dispatchInterval: DispatchTimeInterval {
        .nanoseconds(Int(components.seconds) * 1_000_000_000 + Int(components.attoseconds / 1_000_000_000))
    }
}
