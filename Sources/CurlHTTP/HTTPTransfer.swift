import CCurl
import Glibc

/// One request under way: what libcurl's callbacks read from and write to.
///
/// The body can be read once only: libcurl sends a request again by itself when a kept connection breaks before an
/// answer, and an INSERT must not be sent twice behind the caller's back. So rewinding fails.
final class HTTPTransfer {
    let body: HTTPBody
    let isCancelled: () -> Bool
    /// Takes the body of a 2xx answer, piece by piece; what it returns is why it can't take more.
    private let receiver: ((UnsafeRawBufferPointer) -> String?)?
    let bodyLimit: Int
    let headerLimit: Int
    private(set) var sentBytes = 0
    private(set) var response: [UInt8] = []
    private(set) var headers: [(name: String, value: String)] = []
    private var headerBytes = 0
    private var status = 0
    private(set) var wasCancelled = false
    /// Why a callback made libcurl stop, when it was neither the network nor the caller.
    private(set) var refusal: String?

    init(
        body: HTTPBody, receiver: ((UnsafeRawBufferPointer) -> String?)?, settings: HTTPClientSettings, isCancelled: @escaping () -> Bool
    ) {
        self.body = body
        self.receiver = receiver
        self.isCancelled = isCancelled
        bodyLimit = settings.responseBodyLimit
        headerLimit = settings.responseHeaderLimit
    }

    static func from(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer {
        Unmanaged<HTTPTransfer>.fromOpaque(context!).takeUnretainedValue()
    }

    func readBody(into destination: UnsafeMutableRawPointer, capacity: Int) -> Int {
        let length = min(capacity, body.length - sentBytes)
        guard length > 0 else { return 0 }
        switch body {
        case .bytes(let bytes):
            guard let start = bytes.baseAddress else { return 0 }
            destination.copyMemory(from: start + sentBytes, byteCount: length)
            sentBytes += length
            return length
        case .file(let descriptor, _):
            return readFile(descriptor, into: destination, length)
        }
    }

    private func readFile(_ descriptor: Int32, into destination: UnsafeMutableRawPointer, _ length: Int) -> Int {
        while true {
            let count = pread(descriptor, destination, length, off_t(sentBytes))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                refusal =
                    count == 0 ? "the file to send became shorter" : "the file to send can't be read: \(String(cString: strerror(errno)))"
                return Int(CURL_READFUNC_ABORT)
            }
            sentBytes += count
            return count
        }
    }

    /// How many bytes were taken; fewer than given make libcurl stop.
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        if let receiver, (200..<300).contains(status) {
            refusal = receiver(bytes)
            return refusal == nil ? bytes.count : 0
        }
        guard response.count + bytes.count <= bodyLimit else {
            refusal = "the response is longer than \(bodyLimit) bytes"
            return 0
        }
        response.append(contentsOf: bytes)
        return bytes.count
    }

    /// Takes one header line; a status line starts the headers of another response (after a 100 or a proxy's 200).
    func receiveHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        headerBytes += bytes.count
        guard headerBytes <= headerLimit else {
            refusal = "the response's headers are longer than \(headerLimit) bytes"
            return 0
        }
        if bytes.starts(with: "HTTP/".utf8) {
            headers.removeAll()
            status = bytes.split(separator: UInt8(ascii: " ")).dropFirst().first.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
        } else if let colon = bytes.firstIndex(of: UInt8(ascii: ":")) {
            headers.append((String(decoding: bytes[..<colon], as: UTF8.self), trimmed(bytes[(colon + 1)...])))
        }
        return bytes.count
    }

    func shouldStop() -> Bool {
        if isCancelled() { wasCancelled = true }
        return wasCancelled
    }

    private func trimmed(_ text: Slice<UnsafeRawBufferPointer>) -> String {
        let isBlank: (UInt8) -> Bool = { " \t\r\n".utf8.contains($0) }
        return String(decoding: text.drop(while: isBlank).reversed().drop(while: isBlank).reversed(), as: UTF8.self)
    }
}
