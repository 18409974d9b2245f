/// A complete HTTP response.
public struct HTTPResponse: Sendable {
    public let status: Int
    /// As they came, in order; names keep their case.
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of this name, in any case.
    public func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }

    /// The body as text, invalid UTF-8 repaired.
    public var text: String { String(decoding: body, as: UTF8.self) }
}
