import Engine

/// What the decoder of one topic knows beside the record in its hands: how values are written, the schemas met, and what is to be
/// remarked. For one task.
final class DecodingContext {
    /// The field, and the header, that names the operation.
    let operationName: [UInt8]
    /// It is not the one that `ChangeRecord` looks for by itself.
    let hasOwnOperationName: Bool
    let takesInserts: Bool
    let preciseScale: Int?
    let zone: ZoneOffsets?
    private let unavailable: [UInt8]
    private let unavailableBase64: [UInt8]
    let schemas = ConnectSchemas()
    /// The schemas of records in Avro; nil where records are JSON.
    let avro: AvroRecords?
    /// A decimal in Base64 was met where none is taken; nil while the state was not asked.
    private var hasMetBase64: Bool?
    /// Where that is kept; nil where it is not.
    private let forms: KeyedRecords<DecimalForms>?
    private let remarks: TaskRemarks?
    /// Its reader hands on `fieldDefects`, and empties them for each record.
    private let isOfReference: Bool
    /// What could not be used of the reference record read last.
    var fieldDefects: [FieldDefect] = []

    init(_ form: InputForm, isOfReference: Bool = false, remarks: TaskRemarks? = nil, remembering forms: KeyedRecords<DecimalForms>? = nil)
    {
        self.forms = forms
        self.remarks = remarks
        self.isOfReference = isOfReference
        hasOwnOperationName = form.addFieldsPrefix != "__"
        operationName = Array((form.addFieldsPrefix + "op").utf8)
        takesInserts = form.operations == .inserts
        if case .precise(let scale) = form.decimals { preciseScale = scale } else { preciseScale = nil }
        zone = form.zone
        avro = form.avro.map(AvroRecords.init)
        unavailable = Array(form.unavailableValue.utf8)
        unavailableBase64 = Base64.encoded(unavailable)
    }

    // MARK: - What a reference table keeps

    private static let base64Note = "base64"

    /// What was met, as `ReferenceReader.notes`.
    var notes: Set<String> { hasMetBase64 == true ? [DecodingContext.base64Note] : [] }
    func recall(_ notes: Set<String>) { hasMetBase64 = notes.contains(DecodingContext.base64Note) }

    // MARK: - Decimals that may be either

    /// Takes note of a decimal in Base64 where texts are taken.
    func metBase64(_ field: StaticString, at offset: Int64) {
        if hasMetBase64 != true {
            hasMetBase64 = true
            forms?.update(DecodingContext.formsKey) { $0.hasBase64 = true }
        }
        remarks?.add(Rejection("base64_decimal", field: field), at: offset)
        guard isOfReference else { return }
        fieldDefects.append(
            FieldDefect(
                Rejection("base64_decimal", field: field), found: "Base64",
                expected: "its digits (decimal.handling.mode=string), or input.decimals: precise with input.decimalScale"
            ))
    }

    /// Whether digits that may be Base64 are taken for the number that they show: not where Base64 was met.
    func mayTakeDigits(_ field: StaticString, at offset: Int64) -> Bool {
        if hasMetBase64 == nil { hasMetBase64 = forms?.holds(DecodingContext.formsKey) ?? false }
        guard hasMetBase64 != true else { return false }
        remarks?.add(Rejection("ambiguous_decimal", field: field), at: offset)
        if isOfReference {
            fieldDefects.append(
                FieldDefect(
                    Rejection("ambiguous_decimal", field: field), found: "digits alone, which may be a number or Base64,",
                    expected: "a point, or Base64 with input.decimals: precise", isUsed: true
                ))
        }
        return true
    }

    /// Under this key there is a record when Base64 was met, and else none: parts of a job that are put together agree.
    private static var formsKey: ByteView {
        let key: StaticString = "decimals"
        return ByteView(start: key.utf8Start, count: key.utf8CodeUnitCount)
    }

    /// What is skipped and may be meant otherwise.
    func remark(_ reason: StaticString, field: StaticString? = nil, at offset: Int64) {
        remarks?.add(Rejection(reason, field: field), at: offset)
    }

    // MARK: - Values that are not there

    /// Whether a text stands for a value that the database did not hand over: the placeholder, or its bytes in Base64.
    @inline(__always)
    func isUnavailable(_ text: ByteView) -> Bool {
        text.count == unavailable.count && same(text, unavailable) || text.count == unavailableBase64.count && same(text, unavailableBase64)
    }

    private func same(_ text: ByteView, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { text == ByteView($0) }
    }
}

/// What a task has met of how its topic writes decimals; kept, so that a restart decides as if there had been none.
package struct DecimalForms: StateRecord {
    /// A decimal in Base64 where none is taken.
    var hasBase64 = false

    package init() {}

    package mutating func fields<Visitor: FieldVisitor & ~Copyable>(_ visit: inout Visitor) { visit.field("hasBase64", &hasBase64) }
}
