/// A complete HTTP response.
package struct HTTPResponse: Sendable {
    package let status: Int
    /// As they came, in order; names keep their case.
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of this name, in any case.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }

    /// The body as text, invalid UTF-8 repaired.
    package var text: String { String(decoding: body, as: UTF8.self) }
}
