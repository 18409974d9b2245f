import CurlHTTP
import Foundation

/// A schema registry (`schema_registry.py`) on 127.0.0.1 that keeps its schemas in a file, so that it may end and come back.
package final class SchemaRegistryServer: Sendable {
    package let port: Int
    private let child: ChildProcess
    private let authorization: String

    /// Starts the server and waits until it answers.
    /// - Parameter file: holds its schemas.
    /// - Parameter authorization: what a request has to bring; empty for nothing.
    package init(file: String, port: Int = freePort(), authorization: String = "") throws {
        self.port = port
        self.authorization = authorization
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("schema_registry.py").path
        child = try ChildProcess("/usr/bin/python3", [script, String(port), file, authorization])
        let client = try HTTPClient()
        try waitUntil("the schema registry answers on port \(port)") { [child, port] in
            guard child.isRunning else {
                throw ChildProcessError(description: "the schema registry ended at once: \(child.errors.suffix(2000))")
            }
            return (try? client.perform(HTTPRequest(.get, url: "http://127.0.0.1:\(port)/")))?.status != nil
        }
    }

    package var url: String { "http://127.0.0.1:\(port)" }

    /// Registers a schema; returns its number. `references`: the subjects of the schemas that it uses, in their first version.
    @discardableResult
    package func register(_ schema: String, subject: String = "subject", references: [String] = []) throws -> Int64 {
        let uses = references.map { ["name": $0, "subject": $0, "version": 1] as [String: Any] }
        let body = try JSONSerialization.data(withJSONObject: ["schema": schema, "references": uses])
        let headers = [("Content-Type", "application/json")] + (authorization.isEmpty ? [] : [("Authorization", authorization)])
        let response = try body.withUnsafeBytes { bytes in
            try HTTPClient().perform(
                HTTPRequest(.post, url: "\(url)/subjects/\(subject)/versions", headers: headers.map { (name: $0.0, value: $0.1) }),
                body: bytes)
        }
        guard let answer = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any], let id = answer["id"] as? Int
        else {
            throw ChildProcessError(description: "the schema registry took no schema: \(response.status) \(response.text)")
        }
        return Int64(id)
    }

    /// Requests so far, such as `GET /schemas/ids/1`.
    package var requests: [String] { child.output.split(separator: "\n").map(String.init) }

    package func send(_ signal: Int32) { child.send(signal) }
    /// By SIGKILL: a child has the signals blocked that the test's threads have.
    package func end() {
        child.send(SIGKILL)
        child.waitForExit()
    }
}
