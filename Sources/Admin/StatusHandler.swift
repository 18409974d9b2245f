import Engine
import FlyingFox
import Foundation

/// Answers the requests for a worker's status.
struct StatusHandler: HTTPHandler {
    let snapshot: @Sendable () -> StatusSnapshot

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard request.method == .GET || request.method == .HEAD else { return answer(.methodNotAllowed, "text/plain", "expected GET\n") }
        switch request.path {
        case "/": return answer(.ok, "text/html", StatusPage(snapshot: snapshot()).html)
        case "/status": return try status()
        case "/metrics": return answer(.ok, "text/plain; version=0.0.4", MetricsText(snapshot()).text)
        case "/healthz": return answer(.ok, "text/plain", "ok\n")
        case "/readyz":
            let phase = snapshot().phase
            return answer(phase == .running ? .ok : .serviceUnavailable, "text/plain", "\(phase.rawValue)\n")
        default: return answer(.notFound, "text/plain", "expected /, /status, /metrics, /healthz or /readyz\n")
        }
    }

    private func status() throws -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return answer(.ok, "application/json", String(decoding: try encoder.encode(snapshot()), as: UTF8.self) + "\n")
    }

    private func answer(_ code: HTTPStatusCode, _ type: String, _ body: String) -> HTTPResponse {
        let charset = type.holds(";") || type == "application/json" ? type : "\(type); charset=utf-8"
        return HTTPResponse(statusCode: code, headers: [.contentType: charset, HTTPHeader("Cache-Control"): "no-store"], body: Data(body.utf8))
    }
}
