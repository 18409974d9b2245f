import CRdKafka
import Engine

/// A librdkafka property that a configuration can't have, and why.
package struct KafkaPropertyProblem: Hashable, Sendable {
    /// The property's name as it was written.
    package let name: String
    /// What is wrong with it and what to do; never shows the value, which may be a secret.
    package let message: String
}

/// Who a set of librdkafka properties is for.
package enum KafkaRole: Sendable {
    case consumer, producer
    /// A producer of a job's rows, in transactions.
    case output
}

/// Checks librdkafka properties before a client is made of them.
package enum KafkaProperties {
    /// Properties of consumers that the engine's guarantees rest on, and the reason for each. `group.id` is not among
    /// them: the engine never joins the group, but lag tools look for its committed offsets under the name that they know.
    package static let ownedByConsumer: [String: String] = [
        "enable.auto.commit": "positions live in the state; the group only follows them",
        "auto.commit.enable": "positions live in the state; the group only follows them",
        "auto.commit.interval.ms": "positions live in the state; the group only follows them",
        "enable.auto.offset.store": "positions live in the state; the group only follows them",
        "offset.store.method": "positions live in the state; the group only follows them",
        "offset.store.path": "positions live in the state; the group only follows them",
        "offset.store.sync.interval.ms": "positions live in the state; the group only follows them",
        "auto.offset.reset":
            "a lost offset stops the job instead of skipping records; input.kafka.start says where a job without state begins",
        "enable.partition.eof": "the ends of the partitions are recognised by these events",
        "check.crcs": "every record's checksum is verified",
        "allow.auto.create.topics": "reading never creates a topic",
        "group.instance.id": "the worker assigns all partitions itself, without group membership",
        "partition.assignment.strategy": "the worker assigns all partitions itself, without group membership",
        "log.queue": "librdkafka's logs go to the worker's log",
        "test.mock.num.brokers": "it would replace the brokers; use the development broker instead",
    ]

    /// Properties of producers that the writer's guarantees rest on, and the reason for each.
    package static let ownedByProducer: [String: String] = [
        "acks": "a record counts as written only when all in-sync replicas have it",
        "request.required.acks": "a record counts as written only when all in-sync replicas have it",
        "delivery.report.only.error": "every delivery is counted",
        "transactional.id": "this writer writes without transactions",
        "log.queue": "librdkafka's logs go to the worker's log",
        "test.mock.num.brokers": "it would replace the brokers; use the development broker instead",
    ]

    /// Properties of the output's producers that its guarantees rest on, and the reason for each.
    package static let ownedByOutput: [String: String] = ownedByProducer.merging([
        "transactional.id": "it is made of the job's id and the topic, so that a restart ends what was left open",
        "enable.idempotence": "transactions need it",
        "group.id": "the group of the ledgers is named after the job",
    ]) { $1 }

    /// Those of `properties` that say where the brokers are and how to connect to them.
    package static func connection(of properties: [String: String]) -> [String: String] {
        let names = [
            "bootstrap.servers", "metadata.broker.list", "security.protocol", "sasl.", "ssl.", "enable.ssl.", "enable.sasl.", "socket.",
            "broker.address.", "broker.version.", "api.version.", "client.dns.lookup", "reconnect.",
        ]
        return properties.filter { property in names.contains { property.key.begins(with: $0) } }
    }

    /// All that is wrong with `properties`, in the order of their names: owned by the engine, unknown to librdkafka, or
    /// with a value that it refuses.
    package static func problems(in properties: [String: String], for role: KafkaRole) -> [KafkaPropertyProblem] {
        let owned =
            switch role {
            case .consumer: ownedByConsumer
            case .producer: ownedByProducer
            case .output: ownedByOutput
            }
        let configuration = rd_kafka_conf_new()
        defer { rd_kafka_conf_destroy(configuration) }
        return properties.sorted { $0.key < $1.key }.compactMap { name, value in
            if let reason = owned[name] {
                return KafkaPropertyProblem(name: name, message: "\(name) belongs to the engine and can't be set: \(reason); remove it")
            }
            guard let refusal = set(name, to: value, in: configuration) else { return nil }
            return KafkaPropertyProblem(name: name, message: refusal)
        }
    }

    /// Sets one property; what is wrong with it, or nil when it was taken. librdkafka repeats a value that it refuses, or a part of it,
    /// and a secret may have been written into any property: only the numbers that it says are allowed are handed on.
    static func set(_ name: String, to value: String, in configuration: OpaquePointer?) -> String? {
        var text = [CChar](repeating: 0, count: 512)
        let result = rd_kafka_conf_set(configuration, name, value, &text, text.count)
        guard result != RD_KAFKA_CONF_OK else { return nil }
        if result == RD_KAFKA_CONF_UNKNOWN {
            return "\(name) is no property of librdkafka \(String(cString: rd_kafka_version_str())): correct or remove it"
        }
        let said = terminated(text)
        let range = said.utf8.firstRange(of: allowedRange.utf8).map { ": expected \(said[$0.upperBound...])" } ?? ""
        return "librdkafka refuses the value of \(name) (not shown)\(range); correct it (its CONFIGURATION.md says what it takes)"
    }

    private static let allowedRange = "is outside allowed range "
}

/// The text of a zero-terminated buffer that C wrote.
func terminated(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// librdkafka's words for an error code.
func text(of code: rd_kafka_resp_err_t) -> String { String(cString: rd_kafka_err2str(code)) }

extension KafkaProperties {
    /// The version of the librdkafka that runs.
    package static var libraryVersion: String { String(cString: rd_kafka_version_str()) }
}
