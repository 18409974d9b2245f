import Engine

/// Headers of a record that waits, copied: those of the names that whoever decodes asks for.
final class HeldHeaders {
    private struct Header: BitwiseCopyable {
        let name: ByteView
        let value: ByteView
    }

    private struct List: BitwiseCopyable {
        let headers: UnsafePointer<Header>
        let count: Int
    }

    private let memory: UnsafeMutablePointer<UInt8>
    private let headers: UnsafeMutablePointer<Header>
    private let list: UnsafeMutablePointer<List>

    /// nil for a record that has none of those names.
    init?(_ record: SourceRecord, names: [[UInt8]]) {
        let found = names.compactMap { name in
            name.withUnsafeBytes { record.headers.value(of: ByteView($0)) }.map { (name: name, value: $0) }
        }
        guard !found.isEmpty else { return nil }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(found.reduce(0) { $0 + $1.name.count + $1.value.count }, 1))
        let headers = UnsafeMutablePointer<Header>.allocate(capacity: found.count)
        var used = 0
        func keep(_ bytes: UnsafeBufferPointer<UInt8>) -> ByteView {
            let place = memory + used
            if let start = bytes.baseAddress { place.update(from: start, count: bytes.count) }
            used += bytes.count
            return ByteView(start: place, count: bytes.count)
        }
        for (index, header) in found.enumerated() {
            let name = header.name.withUnsafeBufferPointer(keep)
            (headers + index).initialize(to: Header(name: name, value: header.value.isNull ? .null : keep(header.value.buffer)))
        }
        list = .allocate(capacity: 1)
        list.initialize(to: List(headers: headers, count: found.count))
        self.memory = memory
        self.headers = headers
    }

    deinit {
        list.deallocate()
        headers.deallocate()
        memory.deallocate()
    }

    /// Valid as long as this is.
    var view: RecordHeaders {
        RecordHeaders(of: list) { owner, name, length, found in
            let list = owner.assumingMemoryBound(to: List.self).pointee
            let wanted = ByteView(start: name, count: length)
            for index in 0..<list.count where list.headers[index].name == wanted {
                found.storeBytes(of: list.headers[index].value, as: ByteView.self)
                return true
            }
            return false
        }
    }
}
