/// What a request sends.
enum HTTPBody {
    case bytes(UnsafeRawBufferPointer)
    case file(descriptor: Int32, length: Int)

    var length: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(_, let length): length
        }
    }
}
