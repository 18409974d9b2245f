import CCrypto
import Foundation

/// What is answered to a request.
struct Answer: Sendable {
    let status: UInt32
    let headers: [(name: String, value: String)]
    let body: AnswerBody

    init(_ status: UInt32, type: String = "text/plain; charset=utf-8", headers: [(name: String, value: String)] = [], _ body: String) {
        self.status = status
        self.headers = [("Content-Type", type)] + Answer.guards + headers
        self.body = AnswerBody(body)
    }

    /// On every answer: nothing is loaded, run, framed, guessed at, passed on or kept.
    private static let guards: [(name: String, value: String)] = [
        (
            "Content-Security-Policy",
            "default-src 'none'; style-src 'sha256-\(digest(StatusPage.style))'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        ),
        ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"), ("Cache-Control", "no-store"),
        // One request a connection: then the limits of a connection are those of a request.
        ("Connection", "close"),
    ]

    private static func digest(_ text: String) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        let bytes = Array(text.utf8)
        // Fails only where OpenSSL has no memory; the page then is without its style, not without its guards.
        _ = EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
        return Data(digest).base64EncodedString()
    }
}

/// The bytes of an answer, which several connections may be sent at once.
///
/// Immutable, and freed with the last reference: any thread may read it.
final class AnswerBody: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ text: String) {
        let utf8 = Array(text.utf8)
        bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: utf8.count, alignment: 1)
        bytes.copyBytes(from: utf8)
    }

    deinit { bytes.deallocate() }

    var text: String { String(decoding: bytes, as: UTF8.self) }
}
