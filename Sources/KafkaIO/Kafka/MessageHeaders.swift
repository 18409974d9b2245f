import CRdKafka
import Engine

/// Finds the last header of a name in the `rd_kafka_message_t` at `message`. librdkafka reads a message's headers when they are
/// first asked for, and keeps them with it.
let findHeader: RecordHeaders.Lookup = { message, name, length, found in
    var headers: OpaquePointer?
    let read = rd_kafka_message_headers(message.assumingMemoryBound(to: rd_kafka_message_t.self), &headers)
    guard read == RD_KAFKA_RESP_ERR_NO_ERROR, let headers else { return false }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: length + 1) { text in
        for index in 0..<length { text[index] = CChar(bitPattern: name[index]) }
        text[length] = 0
        var value: UnsafeRawPointer?
        var size = 0
        guard rd_kafka_header_get_last(headers, text.baseAddress, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR else { return false }
        found.storeBytes(of: ByteView(start: value?.assumingMemoryBound(to: UInt8.self), count: size), as: ByteView.self)
        return true
    }
}
