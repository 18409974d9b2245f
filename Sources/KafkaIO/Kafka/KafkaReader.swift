import CRdKafka
import Engine

/// Reads some partitions by thousands: no copy and no allocation per record. For one thread.
final class KafkaReader: RecordReader {
    private struct Slot {
        let partition: TopicPartition
        let topic: OpaquePointer
        let number: Int32
        /// The least offset that the next record can have.
        var next: Int64
    }

    /// What its errors say of the limits, and of what to do.
    struct Limits {
        let receiveLimit: Int
        let cure: ReadFailure.Cure
    }

    /// How many partitions an error names that may be of any.
    private static let mostNamed = 5

    let consumption: Consumption
    private let confirmMissing: (String) throws -> Void
    private let readAhead: ReadAhead
    private let limits: Limits
    private var (bytesSinceWakeUp, recordsSinceWakeUp) = (0, 0)
    private var slots: [Slot]
    private var messages: UnsafeMutableBufferPointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    private var records: UnsafeMutableBufferPointer<SourceRecord>

    /// `confirmMissing` is told when librdkafka says that a topic is gone, and throws when it really is.
    init(
        _ starts: [(TopicPartition, Int64)], client: KafkaClient, readAhead: ReadAhead, limits: Limits,
        confirmMissing: @escaping (String) throws -> Void
    ) throws {
        let consumption = try Consumption(client: client)
        self.consumption = consumption
        self.confirmMissing = confirmMissing
        self.readAhead = readAhead
        self.limits = limits
        messages = .allocate(capacity: 0)
        records = .allocate(capacity: 0)
        slots = []
        for (partition, offset) in starts {
            let topic = try consumption.start(partition, at: offset)
            slots.append(Slot(partition: partition, topic: topic, number: Int32(partition.partition), next: offset))
        }
    }

    deinit {
        messages.deallocate()
        records.deallocate()
    }

    func poll(maximumRecords: Int, timeout: Duration, _ handle: (SourceEvent) -> Void) throws {
        let wanted = max(1, maximumRecords)
        reserve(wanted)
        let count = take(wanted, timeout)
        defer { for index in 0..<count { rd_kafka_message_destroy(messages[index]) } }
        var index = 0
        while index < count {
            guard let message = messages[index] else { break }
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                consumption.client.events.heardAnswer()
                index = try handOver(from: index, to: count, handle)
            } else {
                try answer(message, handle)
                index += 1
            }
        }
        consumption.client.serveCallbacks()
        if count == 0, let answer = consumption.client.events.lastingLongAnswer {
            let places = slots.prefix(KafkaReader.mostNamed).map { "\($0.partition) from offset \($0.next) on" }.joined(separator: ", ")
            throw consumption.client.tooLong(
                answer, " with records of \(places)\(slots.count > KafkaReader.mostNamed ? " or another partition" : "")")
        }
        if let reason = consumption.client.events.takeMissingTopics() { try confirmMissing(reason) }
        wakeFetchersNowAndThen()
    }

    /// Fills `messages` with what is there; if nothing is, waits for the first. (librdkafka's batch call with a time-out
    /// would wait until the whole batch is full.)
    private func take(_ wanted: Int, _ timeout: Duration) -> Int {
        guard let base = messages.baseAddress else { return 0 }
        let ready = rd_kafka_consume_batch_queue(consumption.queue, 0, base, wanted)
        guard ready == 0 else { return max(0, ready) }
        let first = rd_kafka_consume_batch_queue(consumption.queue, timeout.milliseconds, base, 1)
        guard first == 1, wanted > 1 else { return max(0, first) }
        return 1 + max(0, rd_kafka_consume_batch_queue(consumption.queue, 0, base + 1, wanted - 1))
    }

    /// Hands over the records of one partition that stand together; the index after them.
    private func handOver(from first: Int, to count: Int, _ handle: (SourceEvent) -> Void) throws -> Int {
        guard let message = messages[first] else { return count }
        let slot = try slotIndex(of: message.pointee)
        let (topic, number) = (message.pointee.rkt, message.pointee.partition)
        var next = slots[slot].next
        var index = first
        while index < count, let message = messages[index], message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR,
            message.pointee.partition == number, message.pointee.rkt == topic
        {
            let record = sourceRecord(of: message)
            guard record.offset >= next else { throw repeated(record.offset, in: slots[slot]) }
            next = record.offset + 1
            bytesSinceWakeUp += record.key.count + record.value.count
            records[index - first] = record
            index += 1
        }
        slots[slot].next = next
        recordsSinceWakeUp += index - first
        handle(.records(slots[slot].partition, UnsafeBufferPointer(rebasing: records[..<(index - first)])))
        return index
    }

    private func slotIndex(of message: rd_kafka_message_t) throws -> Int {
        for (index, slot) in slots.enumerated() where slot.number == message.partition && slot.topic == message.rkt { return index }
        throw SourceError(
            .bug,
            "librdkafka handed over a record of a partition that this reader does not read (partition \(message.partition), offset \(message.offset))"
        )
    }

    /// What librdkafka says in place of a record.
    private func answer(_ message: UnsafeMutablePointer<rd_kafka_message_t>, _ handle: (SourceEvent) -> Void) throws {
        let slot = try slots[slotIndex(of: message.pointee)]
        let code = message.pointee.err
        if code == RD_KAFKA_RESP_ERR__PARTITION_EOF {
            consumption.client.events.heardAnswer()
            handle(.end(slot.partition, next: message.pointee.offset))
            return
        }
        let reason = rd_kafka_message_errstr(message).map { String(cString: $0) } ?? text(of: code)
        let failure = ReadFailure(
            partition: slot.partition, next: slot.next, code: code, reason: reason, receiveLimit: limits.receiveLimit, cure: limits.cure)
        if let error = failure.error(asking: LogEnds(client: consumption.client)) { throw error }
        consumption.client.events.log(
            .warning, kind: "read \(code.rawValue)", "\(slot.partition) can't be read just now (librdkafka goes on trying): \(reason)")
    }

    private func repeated(_ offset: Int64, in slot: Slot) -> SourceError {
        SourceError(
            .bug,
            "\(slot.partition): librdkafka handed over offset \(offset) where \(slot.next) or a later one had to come; start again, the state keeps its position"
        )
    }

    private func wakeFetchersNowAndThen() {
        guard readAhead.isWorthWakingFor(bytes: bytesSinceWakeUp, records: recordsSinceWakeUp) else { return }
        (bytesSinceWakeUp, recordsSinceWakeUp) = (0, 0)
        consumption.client.wakeFetchers()
    }

    private func reserve(_ count: Int) {
        guard count > messages.count else { return }
        messages.deallocate()
        records.deallocate()
        messages = .allocate(capacity: count)
        messages.initialize(repeating: nil)
        records = .allocate(capacity: count)
    }
}
