import Engine

/// Whether a partition's log still fits the position that the state has in it.
struct AssignmentCheck {
    let partition: TopicPartition
    /// The offset of the log's first record.
    let low: Int64
    /// The offset after the log's last record.
    let high: Int64

    /// Where to read on; throws when the position lies outside the log.
    func start(at position: SourcePosition) throws -> Int64 {
        if position.next < 0 {
            throw SourceError(
                .corrupt,
                "the state's position in \(partition) is \(position.next): no log has such an offset, so the state is damaged; keep the state directory for examination, and go on with a copy of it as the last run left it, or start anew with an empty state directory, another checkpoints.store and new tables"
            )
        }
        if position.next < low {
            throw SourceError(
                .invalid,
                "\(partition) has lost records that were not read yet: the state reads on at offset \(position.next), the log holds \(low) to \(high) (retention removed \(low - position.next)). "
                    + "Nothing was skipped. Bring the records back, or start with an empty state directory and raise the topic's retention"
            )
        }
        if position.next > high {
            throw SourceError(
                .invalid,
                "\(partition) was shrunken or recreated: the state reads on at offset \(position.next), the log ends at \(high) (it holds \(low) to \(high)). "
                    + "Read the topic that the state belongs to, or start with an empty state directory"
            )
        }
        return position.next
    }

    /// The last record read, when the log must still have it: what is before its first record is gone for good.
    func recordToRecognise(of position: SourcePosition) -> RecordFingerprint? {
        guard let last = position.last, last.offset >= low, last.offset < high else { return nil }
        return last
    }

    /// Throws when the log has another record at the offset of the last one read. nil: it has none there any more.
    static func recognise(_ found: RecordFingerprint?, as expected: RecordFingerprint, in partition: TopicPartition) throws {
        guard let found, found != expected else { return }
        throw SourceError(
            .invalid,
            "\(partition) was recreated: the record at offset \(expected.offset) is not the one that was read there "
                + "(then \(describe(expected)), now \(describe(found))). Read the topic that the state belongs to, or start with an empty state directory"
        )
    }

    private static func describe(_ fingerprint: RecordFingerprint) -> String {
        let time = fingerprint.timestamp == .min ? "no timestamp" : "timestamp \(fingerprint.timestamp)"
        return "\(time), checksum \(String(fingerprint.checksum, radix: 16))"
    }
}
