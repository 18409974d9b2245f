import Engine
import FintechJob
import TestSupport

/// What a decoder made of a record, as text.
enum DecoderOutcome: Equatable {
    /// An event's fields by short names; texts that are absent are `-`.
    case event([String: String])
    case skipped(String)
    case rejected(String)

    var text: String {
        switch self {
        case .event(let fields): "event " + fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        case .skipped(let name): "skipped \(name)"
        case .rejected(let reason): "rejected \(reason)"
        }
    }

    /// Decodes a value as a transaction.
    static func transaction(_ value: [UInt8], timestamp: EventTime? = nil, maxAhead: EventSpan = .hours(1), form: InputForm = .ofInserts)
        -> DecoderOutcome
    {
        var decoder = TransactionDecoder(maxAhead: maxAhead, form: form)
        return outcome(value, timestamp, &decoder) { event, _ in
            [
                "id": shown(event.id), "customer": shown(event.customerID), "amount": String(event.amount),
                "at": String(event.createdAt.milliseconds), "type": shown(event.type), "status": "\(event.status)",
                "fee": String(event.fee), "risk": String(event.risk), "merchant": shown(event.merchantID),
                "from": shown(event.fromAccountID), "to": shown(event.toAccountID), "device": shown(event.deviceFingerprint),
                "country": shown(event.country), "city": shown(event.city),
            ]
        }
    }

    /// Decodes a value as a session.
    static func session(_ value: [UInt8], timestamp: EventTime? = nil, maxAhead: EventSpan = .hours(1), form: InputForm = .ofInserts)
        -> DecoderOutcome
    {
        var decoder = SessionDecoder(maxAhead: maxAhead, form: form)
        return outcome(value, timestamp, &decoder) { event, _ in
            [
                "id": shown(event.id), "customer": shown(event.customerID), "started": String(event.startedAt.milliseconds),
                "ended": event.endedAt.map { String($0.milliseconds) } ?? "-", "session": shown(event.sessionID),
                "channel": shown(event.channel), "device": shown(event.deviceType), "actions": String(event.actions),
            ]
        }
    }

    private static func shown(_ text: ByteView) -> String { text.isNull ? "-" : text.text }

    private static func outcome<Decoder: EventDecoder>(
        _ value: [UInt8], _ timestamp: EventTime?, _ decoder: inout Decoder, _ fields: (Decoder.Event, EventTime) -> [String: String]
    ) -> DecoderOutcome {
        let scratch = ScratchMemory()
        return withGuardedBytes(value) { bytes in
            switch decoder.decode(SourceRecord(offset: 0, timestamp: timestamp, key: .null, value: bytes), scratch: scratch) {
            case .event(let event, let time), .amendment(let event, let time): .event(fields(event, time))
            case .skipped(let name): .skipped(String(describing: name))
            case .rejected(let rejection):
                .rejected(rejection.field.map { "\(rejection.reason):\($0)" } ?? "\(rejection.reason)")
            }
        }
    }
}
