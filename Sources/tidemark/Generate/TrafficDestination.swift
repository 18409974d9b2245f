import Engine
import Traffic

/// Where generated records go.
protocol TrafficDestination {
    /// Takes one record; its bytes are valid only inside the call.
    mutating func write(_ topic: TrafficTopic, key: ByteView, value: ByteView) throws
    /// Returns when everything that was written is there to stay.
    mutating func finish() throws
}
