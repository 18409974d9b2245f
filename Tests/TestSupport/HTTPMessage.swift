import Foundation

/// The head of an HTTP/1.1 message, up to and with its empty line.
struct HTTPMessageHead {
    let bytes: [UInt8]
    private let lines: [Substring]

    static let end: [UInt8] = [13, 10, 13, 10]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
    }

    /// `PUT /path HTTP/1.1`
    var requestLine: String { lines.first.map(String.init) ?? "" }

    /// What a request asks for: `/?query=…`.
    var target: String {
        let words = lines.first?.split(separator: " ") ?? []
        return words.count > 1 ? String(words[1]) : ""
    }

    var contentLength: Int {
        let line = lines.first { $0.lowercased().hasPrefix("content-length:") }
        return line.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
    }

    /// The message with one header set, whatever it was.
    static func replacing(_ name: String, by value: String, in message: [UInt8]) -> [UInt8] {
        guard let end = message.firstRange(of: HTTPMessageHead.end) else { return message }
        let lines = String(decoding: message[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let others = lines.filter { !$0.lowercased().hasPrefix(name.lowercased() + ":") }
        let head = (others + ["\(name): \(value)"]).joined(separator: "\r\n")
        return [UInt8](head.utf8) + HTTPMessageHead.end + message[end.upperBound...]
    }
}

/// Reads the messages that come over a connection.
struct HTTPMessageReader {
    private let socket: Int32
    private var buffered: [UInt8] = []

    init(_ socket: Int32) { self.socket = socket }

    /// The next message's head; nil when the connection ended.
    mutating func readHead() -> HTTPMessageHead? {
        while true {
            if let end = buffered.firstRange(of: HTTPMessageHead.end) {
                let head = HTTPMessageHead([UInt8](buffered[..<end.upperBound]))
                buffered.removeSubrange(..<end.upperBound)
                return head
            }
            guard fill() else { return nil }
        }
    }

    /// The next `length` bytes; nil when the connection ended before.
    mutating func readBody(_ length: Int) -> [UInt8]? {
        while buffered.count < length {
            guard fill() else { return nil }
        }
        defer { buffered.removeSubrange(..<length) }
        return [UInt8](buffered[..<length])
    }

    /// Waits until the other side closes or resets the connection.
    mutating func waitForEnd() {
        while fill() { buffered.removeAll() }
    }

    private mutating func fill() -> Bool {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(socket, &piece, piece.count)
        guard count > 0 else { return false }
        buffered += piece[..<count]
        return true
    }
}
