import CCurl
import Glibc

/// One request under way: what libcurl's callbacks read from and write to.
///
/// The body can be read once only: libcurl sends a request again by itself when a kept connection breaks before an
/// answer, and an INSERT must not be sent twice behind the caller's back. So rewinding fails.
final class HTTPTransfer {
    let body: UnsafeRawBufferPointer
    let isCancelled: () -> Bool
    let bodyLimit: Int
    let headerLimit: Int
    private(set) var sentBytes = 0
    private(set) var response: [UInt8] = []
    private(set) var headers: [(name: String, value: String)] = []
    private var headerBytes = 0
    private(set) var wasCancelled = false
    /// Why a callback made libcurl stop, when it was neither the network nor the caller.
    private(set) var refusal: String?

    init(body: UnsafeRawBufferPointer, settings: HTTPClientSettings, isCancelled: @escaping () -> Bool) {
        self.body = body
        self.isCancelled = isCancelled
        bodyLimit = settings.responseBodyLimit
        headerLimit = settings.responseHeaderLimit
    }

    static func from(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer {
        Unmanaged<HTTPTransfer>.fromOpaque(context!).takeUnretainedValue()
    }

    func readBody(into destination: UnsafeMutableRawPointer, capacity: Int) -> Int {
        let length = min(capacity, body.count - sentBytes)
        guard length > 0, let start = body.baseAddress else { return 0 }
        destination.copyMemory(from: start + sentBytes, byteCount: length)
        sentBytes += length
        return length
    }

    /// How many bytes were taken; fewer than given make libcurl stop.
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
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
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            headers.removeAll()
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...]
            headers.append((String(line[..<colon]), trimmed(value)))
        }
        return bytes.count
    }

    func shouldStop() -> Bool {
        if isCancelled() { wasCancelled = true }
        return wasCancelled
    }

    private func trimmed(_ text: Substring) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
        return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
