import ArgumentParser
import Engine
import Foundation

/// The records of a file, in memory.
final class RecordLog {
    let records: [SourceRecord]
    let byteCount: Int
    private let memory: UnsafeMutableBufferPointer<UInt8>

    init(file: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: file))
        memory = .allocate(capacity: data.count)
        _ = memory.initialize(from: data)
        let lines = UnsafeBufferPointer(memory).split(separator: UInt8(ascii: "\n"))
        guard !lines.isEmpty else { throw ValidationError("\(file) holds no records; name a file with a JSON value a line") }
        records = lines.enumerated().map { offset, line in
            let view = ByteView(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: line)))
            return SourceRecord(offset: Int64(offset), timestamp: nil, key: .null, value: view)
        }
        byteCount = data.count
    }

    deinit { memory.deallocate() }
}
