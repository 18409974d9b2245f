import CRdKafka
import Engine
import Logging
import Synchronization

/// What librdkafka tells about a client outside its calls: logs, errors, results of lag commits, delivery reports.
///
/// Its methods are called by librdkafka's threads and by threads that poll the client.
final class ClientEvents: Sendable {
    private struct Heard {
        var lastError: String?
        var missingTopics: String?
        var brokersDown: String?
        /// How often an answer was longer than is taken, since a broker was understood last.
        var longAnswers = 0
        var longAnswer = ""
        var delivery = DeliveryCount()
    }

    private let logger: Logger
    private let limiter = LogLimiter()
    private let heard = Mutex(Heard())

    init(logger: Logger) { self.logger = logger }

    /// The last error that librdkafka reported, for messages about brokers that can't be reached.
    var lastError: String? { heard.withLock { $0.lastError } }

    /// What was said when the last broker was lost, until one answers again.
    var brokersDown: String? { heard.withLock { $0.brokersDown } }

    /// A broker answered.
    func heardAnswer() { heard.withLock { ($0.brokersDown, $0.longAnswers) = (nil, 0) } }

    /// What librdkafka said of an answer that is longer than it takes, if none was understood since. It asks again and again for such
    /// a one, over a new connection each time.
    var longAnswer: String? { heard.withLock { $0.longAnswers > 0 ? $0.longAnswer : nil } }

    /// The same once it is no accident any more: it repeats what it says of one broker after 30 s.
    var lastingLongAnswer: String? { heard.withLock { $0.longAnswers >= ClientEvents.fewestLongAnswers ? $0.longAnswer : nil } }

    private static let fewestLongAnswers = 2
    /// Its words, which come with no code of their own.
    private static let saysLongAnswer = "Invalid response size"

    /// Takes librdkafka's word, if it gave one, that a topic or partition being read does not exist any more.
    func takeMissingTopics() -> String? {
        heard.withLock { heard in
            defer { heard.missingTopics = nil }
            return heard.missingTopics
        }
    }

    /// Takes what was delivered since the last call.
    func takeDelivery() -> DeliveryCount {
        heard.withLock { heard in
            defer { heard.delivery = DeliveryCount() }
            return heard.delivery
        }
    }

    func heardLog(level: Int32, facility: String, message: String) {
        if level <= 3 && facility != "FAIL" { heard.withLock { $0.lastError = message } }
        // librdkafka warns that this broker can't be kept from creating topics that are asked for: only those are asked for
        // that were seen to exist.
        // And what it logs as FAIL comes again as an error.
        let level = facility == "AUTOCREATE" || facility == "FAIL" ? 7 : level
        log(Self.level(ofSyslog: level), kind: facility, "librdkafka \(facility): \(message)")
    }

    func heardError(_ code: rd_kafka_resp_err_t, reason: String) {
        heard.withLock { heard in
            // That all are down says less than why the last one is.
            if code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN {
                heard.brokersDown = heard.lastError ?? reason
            } else {
                heard.lastError = reason
            }
            if reason.holds(ClientEvents.saysLongAnswer) {
                heard.longAnswers += 1
                heard.longAnswer = reason
            }
            if missingTopicCodes.contains(code.rawValue) { heard.missingTopics = reason }
        }
        log(.warning, kind: "error \(code.rawValue)", "librdkafka: \(reason)")
    }

    func heardCommit(_ code: rd_kafka_resp_err_t) {
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR, code != RD_KAFKA_RESP_ERR__NO_OFFSET else { return }
        log(
            .warning, kind: "commit",
            "the consumer group's offsets could not be committed (lag tools show old ones; reading goes on): \(text(of: code))")
    }

    func heardDelivery(of topic: String, partition: Int32, code: rd_kafka_resp_err_t) {
        heard.withLock { heard in
            if code == RD_KAFKA_RESP_ERR_NO_ERROR {
                heard.delivery.delivered += 1
            } else {
                heard.delivery.failed += 1
                heard.delivery.firstFailure = heard.delivery.firstFailure ?? "\(topic)[\(partition)]: \(text(of: code))"
            }
        }
    }

    /// Logs at a limited rate per kind.
    func log(_ level: Logger.Level, kind: String, _ message: String) {
        guard let leftOut = limiter.admit(kind) else { return }
        logger.log(level: level, leftOut == 0 ? "\(message)" : "\(message) (\(leftOut) more like it since the last one)")
    }

    private static func level(ofSyslog level: Int32) -> Logger.Level {
        switch level {
        case ...2: .critical
        case 3: .warning  // connection errors, which librdkafka mends by itself
        case 4: .warning
        case 5: .notice
        case 6: .info
        default: .debug
        }
    }
}

/// Codes by which librdkafka says that a topic or partition does not exist or may not be read.
let missingTopicCodes: Set<Int32> = [
    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART.rawValue, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC.rawValue,
    RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION.rawValue, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED.rawValue,
]

/// How deliveries of a producer ended.
struct DeliveryCount: Sendable {
    var delivered = 0
    var failed = 0
    var firstFailure: String?
}
