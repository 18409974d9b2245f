import CurlHTTP
import Foundation

/// A ClickHouse server that a test talks to.
package protocol TestClickHouse: AnyObject, Sendable {
    var port: Int { get }
    /// Ends the process with SIGKILL.
    func kill()
    /// Starts it again on the same port and the same data.
    func start() throws
    /// Sends the process a signal, such as SIGSTOP.
    func send(_ signal: Int32)
}

/// What the server answered to a test's query, when it was no success.
package struct QueryRefused: Error, CustomStringConvertible {
    package let description: String
}

extension TestClickHouse {
    package var url: String { "http://127.0.0.1:\(port)" }

    /// Runs a query; its answer as text.
    @discardableResult
    package func query(_ sql: String, settings: String = "") throws -> String {
        let client = try HTTPClient()
        let body = [UInt8](sql.utf8)
        let response = try body.withUnsafeBytes { try client.perform(HTTPRequest(.post, url: "\(url)/?\(settings)"), body: $0) }
        guard response.status == 200 else { throw QueryRefused(description: "\(response.status): \(response.text)") }
        return response.text
    }

    /// The rows of a query without a format, each its fields as tab-separated text has them.
    package func rows(_ sql: String) throws -> [[String]] {
        try query(sql + " FORMAT TabSeparated").split(separator: "\n").map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    func waitUntilUp(_ child: ChildProcess) throws {
        let client = try HTTPClient()
        try waitUntil("ClickHouse answers at \(url)") {
            guard child.isRunning else { throw QueryRefused(description: "the server ended at once: \(child.errors.suffix(2000))") }
            return (try? client.perform(HTTPRequest(.get, url: "\(url)/ping")))?.status == 200
        }
    }
}
