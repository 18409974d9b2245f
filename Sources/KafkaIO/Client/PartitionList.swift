import CRdKafka
import Engine

/// librdkafka's list of topics' partitions with an offset and an error each; freed at the end of its scope.
struct PartitionList: ~Copyable {
    let handle: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    /// Sorted by topic, as librdkafka's requests want their partitions together.
    init(_ offsets: [TopicPartition: Int64]) {
        handle = rd_kafka_topic_partition_list_new(Int32(offsets.count))
        for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            let element = rd_kafka_topic_partition_list_add(handle, partition.topic, Int32(partition.partition))
            element?.pointee.offset = offset
        }
    }

    deinit { rd_kafka_topic_partition_list_destroy(handle) }

    /// The offsets of the partitions that have no error.
    func offsets() -> [TopicPartition: Int64] {
        var result: [TopicPartition: Int64] = [:]
        for index in 0..<Int(handle.pointee.cnt) {
            let element = handle.pointee.elems[index]
            guard element.err == RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            result[TopicPartition(topic: String(cString: element.topic), partition: Int(element.partition))] = element.offset
        }
        return result
    }
}

extension Duration {
    /// Whole milliseconds, at least 0, as C's timeouts want them.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        let count = seconds.multipliedReportingOverflow(by: 1000)
        guard !count.overflow else { return seconds < 0 ? 0 : .max }
        return Int32(clamping: max(0, count.partialValue + attoseconds / 1_000_000_000_000_000))
    }
}
