import Avro
import Engine
import FintechJob
import Foundation

/// The records of a log as a connector writes them in Avro, in memory: the rows flat, or as the image of an envelope.
///
/// `@unchecked Sendable`: immutable once it is made.
final class AvroLog: SchemaTable, @unchecked Sendable {
    let records: [SourceRecord]
    let byteCount: Int
    private let text: String
    private let memory: UnsafeMutableBufferPointer<UInt8>

    init(_ log: RecordLog, isEnvelope: Bool) throws {
        let rows = log.records.compactMap { try? JSONSerialization.jsonObject(with: Data($0.value.buffer)) as? [String: Any] }
        let columns = Set(rows.flatMap(\.keys)).sorted().filter { !$0.utf8.starts(with: "__".utf8) }
        let fields = columns.map { #"{"name":"\#($0)","type":["null","string","long","double"]}"# }
        let operation = #"{"name":"\#(isEnvelope ? "op" : "__op")","type":"string"}"#
        let row = { (more: [String]) in #"{"type":"record","name":"Value","fields":[\#((fields + more).joined(separator: ","))]}"# }
        text =
            isEnvelope
            ? #"{"type":"record","name":"Envelope","fields":[{"name":"before","type":["null",\#(row([]))]},{"name":"after","type":["null","Value"]},\#(operation),{"name":"ts_ms","type":["null","long"]}]}"#
            : row([operation])
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for row in rows {
            bytes += [0, 0, 0, 0, 1]
            if isEnvelope { bytes += [0, 2] }
            for column in columns { AvroLog.append(row[column], to: &bytes) }
            bytes += [2, UInt8(ascii: "c")]
            if isEnvelope { bytes += [2, 2] }
            ends.append(bytes.count)
        }
        memory = .allocate(capacity: max(bytes.count, 1))
        _ = memory.initialize(from: bytes)
        var start = 0
        var records: [SourceRecord] = []
        for (offset, end) in ends.enumerated() {
            let view = ByteView(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: memory[start..<end])))
            records.append(SourceRecord(offset: Int64(offset), timestamp: nil, key: .null, value: view))
            start = end
        }
        self.records = records
        byteCount = bytes.count
    }

    deinit { memory.deallocate() }

    private static func append(_ value: Any?, to bytes: inout [UInt8]) {
        switch value {
        case let text as String:
            bytes.append(2)
            append(Int64(text.utf8.count), to: &bytes)
            bytes += text.utf8
        case let number as Int:
            bytes.append(4)
            append(Int64(number), to: &bytes)
        case let number as Double:
            bytes.append(6)
            withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes += $0 }
        default: bytes.append(0)
        }
    }

    private static func append(_ number: Int64, to bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: number << 1 ^ number >> 63)
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    func schema(_ id: SchemaID) -> FoundSchema { id.number == 1 ? .text(Array(text.utf8), references: []) : .missing }

    var form: InputForm {
        var form = InputForm()
        form.avro = AvroForm(framing: SchemaFraming(), schemas: self)
        return form
    }
}
