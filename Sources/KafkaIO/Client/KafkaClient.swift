import CRdKafka
import Engine
import Logging

/// A librdkafka client: born here, destroyed with the last reference.
///
/// `@unchecked Sendable`: an rd_kafka_t may be used by any thread; the pointer never changes and is freed in `deinit`,
/// which runs when nobody holds the client any more.
final class KafkaClient: @unchecked Sendable {
    let handle: OpaquePointer
    let events: ClientEvents
    let role: KafkaRole
    /// For messages: where the client was told to look for brokers.
    let brokers: String
    private let credentials: (name: String, password: String)

    /// `properties` are taken as they are, in the order of their names; throws naming the one that is refused.
    init(_ role: KafkaRole, properties: [String: String], logger: Logger) throws {
        guard let brokers = properties["bootstrap.servers"] ?? properties["metadata.broker.list"], !brokers.isEmpty else {
            throw SourceError(.invalid, "no Kafka brokers are named: set the property bootstrap.servers to host:port,…")
        }
        self.role = role
        self.brokers = brokers
        credentials = (properties["sasl.username"] ?? "", properties["sasl.password"] ?? "")
        events = ClientEvents(logger: logger)
        var configuration = rd_kafka_conf_new()
        defer { if let configuration { rd_kafka_conf_destroy(configuration) } }
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
            if let refusal = KafkaProperties.set(name, to: value, in: configuration) { throw SourceError(.invalid, refusal) }
        }
        // Passed unretained: `handle` is destroyed, and its threads ended, before `events` goes.
        rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(events).toOpaque())
        Self.setCallbacks(configuration, role)
        var reason = [CChar](repeating: 0, count: 512)
        let type = role == .consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER
        guard let created = rd_kafka_new(type, configuration, &reason, reason.count) else {
            throw SourceError(.invalid, "no Kafka client can be made of the properties: \(terminated(reason))")
        }
        configuration = nil  // rd_kafka_new took it over
        handle = created
    }

    deinit { rd_kafka_destroy(handle) }

    /// Runs the callbacks that wait in the client's main queue, without waiting for more.
    func serveCallbacks() { rd_kafka_poll(handle, 0) }

    /// Makes the fetching threads look at their queues now.
    ///
    /// librdkafka 2.0.2 looks once a second whether a queue that was full has room again, which with bounded queues
    /// limits reading to one queue a second (newer versions have fetch.queue.backoff.ms for it). Setting the credentials
    /// again, unchanged, is its one call that wakes these threads and does nothing else: connections stay as they are.
    func wakeFetchers() {
        if let problem = rd_kafka_sasl_set_credentials(handle, credentials.name, credentials.password) {
            rd_kafka_error_destroy(problem)
        }
    }

    private static func setCallbacks(_ configuration: OpaquePointer?, _ role: KafkaRole) {
        rd_kafka_conf_set_log_cb(configuration) { client, level, facility, message in
            guard let events = eventsOf(rd_kafka_opaque(client)), let facility, let message else { return }
            events.heardLog(level: level, facility: String(cString: facility), message: String(cString: message))
        }
        rd_kafka_conf_set_error_cb(configuration) { _, code, reason, opaque in
            guard let events = eventsOf(opaque), let reason else { return }
            events.heardError(rd_kafka_resp_err_t(rawValue: code), reason: String(cString: reason))
        }
        switch role {
        case .consumer:
            rd_kafka_conf_set_offset_commit_cb(configuration) { _, code, _, opaque in
                eventsOf(opaque)?.heardCommit(code)
            }
        case .producer, .output:
            rd_kafka_conf_set_dr_msg_cb(configuration) { _, message, opaque in
                guard let events = eventsOf(opaque), let message = message?.pointee else { return }
                events.heardDelivery(of: message.rkt, partition: message.partition, code: message.err)
            }
        }
    }
}

/// The events object that was given to librdkafka as a client's opaque pointer.
private func eventsOf(_ opaque: UnsafeMutableRawPointer?) -> ClientEvents? {
    opaque.map { Unmanaged<ClientEvents>.fromOpaque($0).takeUnretainedValue() }
}

extension ClientEvents {
    /// The topic's name is only asked for where it is needed: a delivery that failed.
    fileprivate func heardDelivery(of topic: OpaquePointer?, partition: Int32, code: rd_kafka_resp_err_t) {
        let name = code == RD_KAFKA_RESP_ERR_NO_ERROR ? "" : topic.map { String(cString: rd_kafka_topic_name($0)) } ?? "?"
        heardDelivery(of: name, partition: partition, code: code)
    }
}
