import Foundation

/// A certificate authority of a test's own, with a server's certificate for 127.0.0.1 and a client's, as files in PEM.
package final class TestAuthority: Sendable {
    private let directory: TemporaryDirectory

    package init() throws {
        directory = try TemporaryDirectory("tidemark-authority")
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=tests",
            "-keyout", directory.file("authority.key"), "-out", authorities)
        for name in ["server", "client"] {
            try Data("subjectAltName=IP:127.0.0.1\n".utf8).write(to: URL(fileURLWithPath: directory.file("names")))
            try openssl(
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)", "-keyout",
                directory.file("\(name).key"), "-out", directory.file("\(name).request"))
            try openssl(
                "x509", "-req", "-days", "2", "-in", directory.file("\(name).request"), "-CA", authorities, "-CAkey",
                directory.file("authority.key"), "-CAcreateserial", "-extfile", directory.file("names"), "-out",
                directory.file("\(name).pem"))
        }
    }

    package var authorities: String { directory.file("authority.pem") }
    package var clientCertificate: String { directory.file("client.pem") }
    package var clientKey: String { directory.file("client.key") }
    var serverCertificate: String { directory.file("server.pem") }
    var serverKey: String { directory.file("server.key") }

    private func openssl(_ arguments: String...) throws {
        let run = try ChildProcess("/usr/bin/openssl", arguments)
        guard run.waitForExit() == 0 else { throw ChildProcessError(description: "openssl \(arguments): \(run.errors)") }
    }
}

/// A TLS front of a server on this machine (`tls_front.py`), on a free port.
package final class TLSFront: Sendable {
    package let port: Int
    private let child: ChildProcess

    /// - Parameter asksClients: whether clients have to show a certificate of the authority.
    package init(of backend: Int, _ authority: TestAuthority, asksClients: Bool = false) throws {
        port = freePort()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("tls_front.py").path
        child = try ChildProcess(
            "/usr/bin/python3",
            [script, "\(port)", "\(backend)", authority.serverCertificate, authority.serverKey]
                + (asksClients ? [authority.authorities] : []))
        try waitUntil("the TLS front listens on port \(port)") { [child, port] in
            guard child.isRunning else { throw ChildProcessError(description: "the TLS front ended at once: \(child.errors)") }
            guard let connection = Socket.connect(port: port) else { return false }
            close(connection)
            return true
        }
    }

    package var url: String { "https://127.0.0.1:\(port)" }
}
