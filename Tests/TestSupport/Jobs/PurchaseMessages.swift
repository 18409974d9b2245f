import Engine

/// A purchase, as processors see it.
struct Purchase: BitwiseCopyable {
    let customer: ByteView
    let shop: ByteView
    let amount: Int64
    let time: Int64
    /// All of it as it came.
    let whole: ByteView
}

struct PurchaseDecoder: EventDecoder {
    enum Form {
        /// As text with spaces in between.
        case log
        /// As fields, with the customer or the shop in front.
        case fields(shopsFirst: Bool)
    }

    let form: Form

    init(form: Form) { self.form = form }

    /// Of what is forwarded in a version of the job.
    init(_ version: PurchaseVersion?) { form = version.map { .fields(shopsFirst: $0.forwardsShopsFirst) } ?? .log }

    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Purchase> {
        if case .fields(let shopsFirst) = form { return decode(record.value, shopsFirst) }
        let words = record.value.buffer.split(separator: UInt8(ascii: " "))
        guard words.count == 4 else { return .rejected(Rejection("malformed")) }
        let views = words.map { ByteView(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: $0))) }
        guard let amount = Int64(views[2].text) else { return .rejected(Rejection("bad_value", field: "amount")) }
        guard let time = Int64(views[3].text) else { return .rejected(Rejection("bad_value", field: "time")) }
        return .event(
            Purchase(customer: views[0], shop: views[1], amount: amount, time: time, whole: record.value), at: EventTime(milliseconds: time)
        )
    }

    private func decode(_ payload: ByteView, _ shopsFirst: Bool) -> DecodedRecord<Purchase> {
        var reader = ByteReader(payload)
        let first = reader.text()
        let second = reader.text()
        let amount = reader.zigzag()
        let time = reader.zigzag()
        guard !reader.failed && reader.isAtEnd else { return .rejected(Rejection("malformed_message")) }
        let (customer, shop) = shopsFirst ? (second, first) : (first, second)
        return .event(
            Purchase(customer: customer, shop: shop, amount: amount, time: time, whole: payload), at: EventTime(milliseconds: time))
    }
}

/// Sends purchases on to their customers' tasks.
struct PurchaseKeyBy: KeyBy {
    func key(of purchase: Purchase) -> ByteView { purchase.customer }
    func encode(_ purchase: Purchase, into payload: inout ByteWriter) { payload.write(raw: purchase.whole) }
}

/// The same as fields that other versions of the job read too.
struct CustomerFirstKeyBy: KeyBy {
    static let layout = MessageLayout(
        version: 1,
        fields: [
            StateField(name: "customer", type: .text), StateField(name: "shop", type: .text), StateField(name: "amount", type: .signed),
            StateField(name: "time", type: .time),
        ])

    func key(of purchase: Purchase) -> ByteView { purchase.customer }

    func encode(_ purchase: Purchase, into payload: inout ByteWriter) {
        payload.write(text: purchase.customer)
        payload.write(text: purchase.shop)
        payload.write(zigzag: purchase.amount)
        payload.write(zigzag: purchase.time)
    }
}

struct ShopFirstKeyBy: KeyBy {
    static let layout = MessageLayout(
        version: 2,
        fields: [
            StateField(name: "shop", type: .text), StateField(name: "customer", type: .text), StateField(name: "amount", type: .signed),
            StateField(name: "time", type: .time),
        ], evolution: .from(1))

    func key(of purchase: Purchase) -> ByteView { purchase.customer }

    func encode(_ purchase: Purchase, into payload: inout ByteWriter) {
        payload.write(text: purchase.shop)
        payload.write(text: purchase.customer)
        payload.write(zigzag: purchase.amount)
        payload.write(zigzag: purchase.time)
    }
}

/// What one stage tells the next about a key and window.
struct Partial: BitwiseCopyable {
    let key: ByteView
    var start = EventTime(milliseconds: 0)
    var purchases: UInt64 = 0
    var total: Int64 = 0
    var customers: UInt64 = 0
    var sender: UInt64 = 0
}

/// Sends partials as a version of the job lays them out.
struct PartialMessages {
    private let messages: MessageWriter
    private let fields: [PartialField]
    private let sender: UInt64

    init(_ setup: TaskSetup, to stage: StageName, _ version: PurchaseVersion?) {
        messages = setup.messages(to: stage, layout: version?.partials ?? MessageLayout(version: 1))
        fields = version?.partialFields ?? PartialField.plain
        sender = UInt64(version?.rawValue ?? 0)
    }

    func send(_ purchases: UInt64, _ total: Int64, _ customers: UInt64 = 0, of window: Window, key: ByteView) {
        var payload = ByteWriter(capacity: 32)
        for field in fields {
            switch field {
            case .start: payload.write(zigzag: window.start.milliseconds)
            case .purchases: payload.write(varint: purchases)
            case .total: payload.write(zigzag: total)
            case .customers: payload.write(varint: customers)
            case .sender: payload.write(varint: sender)
            }
        }
        messages.send(payload.view, key: key)
    }
}

struct PartialDecoder: EventDecoder {
    private let fields: [PartialField]

    init(_ version: PurchaseVersion?) { fields = version?.partialFields ?? PartialField.plain }

    func decode(_ record: SourceRecord, scratch: ScratchMemory) -> DecodedRecord<Partial> {
        var reader = ByteReader(record.value)
        var partial = Partial(key: record.key)
        for field in fields {
            switch field {
            case .start: partial.start = EventTime(milliseconds: reader.zigzag())
            case .purchases: partial.purchases = reader.varint()
            case .total: partial.total = reader.zigzag()
            case .customers: partial.customers = reader.varint()
            case .sender: partial.sender = reader.varint()
            }
        }
        guard !reader.failed && reader.isAtEnd else { return .rejected(Rejection("malformed")) }
        // Of a version that does not say it, nothing stands there; and the others that do are known.
        guard partial.sender == 0 || [PurchaseVersion.extended, .retyped].map({ UInt64($0.rawValue) }).contains(partial.sender) else {
            return .rejected(Rejection("bad_value", field: "sender"))
        }
        return .event(partial, at: partial.start)
    }
}
