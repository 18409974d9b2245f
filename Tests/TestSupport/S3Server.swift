import CurlHTTP
import Foundation

/// An S3 server with one bucket that checks every request's signature (`s3_front.py`), on a free port.
package final class S3Server: Sendable {
    package let port: Int
    package let bucket = "tide-marks"
    package static let accessKey = "AKIDEXAMPLE"
    package static let secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    package static let region = "eu-north-1"
    private let child: ChildProcess

    /// Starts the server and waits until it answers.
    /// - Parameter sessionToken: what every request must bring, unless nil.
    package init(sessionToken: String? = nil) throws {
        port = freePort()
        let environment = try PythonEnvironment("moto", variable: "TIDEMARK_MOTO", package: "moto")
        let arguments = [String(port), S3Server.accessKey, S3Server.secretKey, S3Server.region, bucket] + (sessionToken.map { [$0] } ?? [])
        child = try environment.start("s3_front.py", arguments)
        let client = try HTTPClient()
        try waitUntil("the S3 server answers on port \(port)") { [child, port] in
            guard child.isRunning else { throw ChildProcessError(description: "the S3 server ended at once: \(child.errors.suffix(2000))") }
            return (try? client.perform(HTTPRequest(.get, url: "http://127.0.0.1:\(port)/ping")))?.status == 200
        }
    }

    /// The variables that lead a client here, or to a proxy in front.
    package func environment(port: Int? = nil) -> [String: String] {
        [
            "AWS_ENDPOINT_URL": "http://127.0.0.1:\(port ?? self.port)", "AWS_REGION": S3Server.region,
            "AWS_ACCESS_KEY_ID": S3Server.accessKey, "AWS_SECRET_ACCESS_KEY": S3Server.secretKey,
        ]
    }

    package func send(_ signal: Int32) { child.send(signal) }
}
