/// Collects what one task sends to another stage in an epoch, by the key's partition there.
public final class MessageWriter {
    public let stage: StageName
    /// How the payloads are laid out.
    package let layout: MessageLayout
    private let from: TaskID
    private var batches: [(bytes: [UInt8], count: Int)]

    init(stage: StageName, layout: MessageLayout, from: TaskID, partitions: Int) {
        self.stage = stage
        self.layout = layout
        self.from = from
        batches = Array(repeating: ([], 0), count: partitions)
    }

    /// Bytes written in this epoch.
    package private(set) var epochBytes = 0

    /// Sends `payload` to the partition of `key` (murmur2); the receiver's decoder sees both as a record's key and value.
    public func send(_ payload: ByteView, key: ByteView) {
        let partition = murmur2Partition(of: key, partitions: batches.count)
        appendVarint(UInt64(key.count), to: &batches[partition].bytes)
        batches[partition].bytes.append(contentsOf: key.buffer)
        appendVarint(UInt64(payload.count), to: &batches[partition].bytes)
        batches[partition].bytes.append(contentsOf: payload.buffer)
        batches[partition].count += 1
        epochBytes += key.count + payload.count + 4
    }

    func cut(epoch: Epoch) -> [MessageBatch] {
        guard epochBytes > 0 else { return [] }
        epochBytes = 0
        return batches.indices.compactMap { partition in
            guard batches[partition].count > 0 else { return nil }
            defer { batches[partition] = ([], 0) }
            let id = MessageBatchID(from: from, to: TaskID(stage: stage, partition: partition), epoch: epoch)
            return MessageBatch(id: id, count: batches[partition].count, bytes: batches[partition].bytes)
        }
    }
}

/// What one task sent to another in one epoch: it travels in that epoch's transaction and is read in a later one.
public struct MessageBatch: Sendable, Equatable {
    package let id: MessageBatchID
    package let count: Int
    /// Each message: its key, then its payload, each with a varint length in front.
    package let bytes: [UInt8]

    package init(id: MessageBatchID, count: Int, bytes: [UInt8]) {
        self.id = id
        self.count = count
        self.bytes = bytes
    }

    /// The messages as records whose offsets count from 0; false when the bytes are damaged.
    func forEachRecord(in bytes: ByteView, _ body: (SourceRecord) -> Void) -> Bool {
        var reader = ByteReader(bytes)
        var offset: Int64 = 0
        while !reader.isAtEnd {
            let key = reader.text()
            let payload = reader.text()
            guard !reader.failed else { return false }
            body(SourceRecord(offset: offset, timestamp: nil, key: key, value: payload))
            offset += 1
        }
        return offset == count
    }
}

/// Names a batch between two tasks.
package struct MessageBatchID: Hashable, Sendable {
    package let from: TaskID
    package let to: TaskID
    package let epoch: Epoch

    package init(from: TaskID, to: TaskID, epoch: Epoch) {
        self.from = from
        self.to = to
        self.epoch = epoch
    }
}
