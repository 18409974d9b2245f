import Engine

extension StreamTask {
    /// Processes records by a clock that no record is ahead of.
    package func process(_ records: UnsafeBufferPointer<SourceRecord>) throws { try process(records, at: .distantFuture) }
}
