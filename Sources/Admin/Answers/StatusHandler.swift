import Engine
import Foundation
import Synchronization

/// Answers the requests for a worker's status.
final class StatusHandler: Sendable {
    private let access: PageAccess
    private let take: @Sendable () -> StatusSnapshot
    private let endings: @Sendable () -> [(reason: String, count: UInt64)]
    private let recent = Mutex(Recent())

    /// What was made lately, for all who ask: a flood of whole requests costs no more than a few.
    private struct Recent {
        var until = ContinuousClock.now
        var snapshot: StatusSnapshot?
        var answers: [Rendered: Answer] = [:]
    }

    private struct Rendered: Hashable {
        let resource: PageAccess.Resource
        let level: PageAccess.Level
    }

    /// How old what is shown may be.
    private static let maximumAge = Duration.milliseconds(100)

    /// - Parameter endings: how many connections the server has ended, by reason.
    init(
        _ access: PageAccess, endings: @escaping @Sendable () -> [(reason: String, count: UInt64)],
        snapshot: @escaping @Sendable () -> StatusSnapshot
    ) {
        self.access = access
        self.endings = endings
        take = snapshot
    }

    /// - Parameter local: the address of this machine that the connection came to.
    func answer(_ request: RequestHead, at local: () -> NetworkAddress?) -> Answer {
        guard request.hosts.count <= 1, request.authorizations.count <= 1, request.origins.count <= 1 else {
            return Answer(400, "expected each of Host, Authorization and Origin once\n")
        }
        guard access.answers(to: request.hosts.first, at: local) else {
            return Answer(
                421, "the page does not answer to the name in the Host header; where it is one of its own, add it to http.hosts\n")
        }
        guard access.isOwn(origin: request.origins.first, at: local) else { return Answer(403, "other pages may not ask for this one\n") }
        guard request.method == "GET" || request.method == "HEAD" else {
            return Answer(405, headers: [("Allow", "GET, HEAD")], "expected GET\n")
        }
        guard let resource = PageAccess.Resource(rawValue: request.path) else { return StatusHandler.missing }
        let level = access.level(resource, access.credentials(request.authorizations.first))
        switch level {
        case .missing: return Answer(404, "there is no token to log in with: set http.token\n")
        case .denied:
            let challenges = ["Bearer realm=\"Tidemark\"", "Basic realm=\"Tidemark: the token is the password\", charset=\"UTF-8\""]
            return Answer(
                401, headers: challenges.map { ("WWW-Authenticate", $0) },
                "expected the token of http.token: as Authorization: Bearer, or as the password of any user\n")
        case .withoutRecords, .everything: return recentAnswer(resource, level)
        }
    }

    private static let missing = Answer(404, "expected \(PageAccess.Resource.allCases.map(\.rawValue).joined(separator: ", "))\n")

    private func recentAnswer(_ resource: PageAccess.Resource, _ level: PageAccess.Level) -> Answer {
        recent.withLock { recent in
            let now = ContinuousClock.now
            if now >= recent.until { recent = Recent(until: now + StatusHandler.maximumAge) }
            let rendered = Rendered(resource: resource, level: level)
            if let answer = recent.answers[rendered] { return answer }
            let answer = made(resource, level) {
                if let snapshot = recent.snapshot { return snapshot }
                let snapshot = take()
                recent.snapshot = snapshot
                return snapshot
            }
            recent.answers[rendered] = answer
            return answer
        }
    }

    private func made(_ resource: PageAccess.Resource, _ level: PageAccess.Level, _ snapshot: () -> StatusSnapshot) -> Answer {
        func shown() -> StatusSnapshot { level == .everything ? snapshot() : snapshot().withoutRecords }
        switch resource {
        case .page:
            return Answer(
                200, type: "text/html; charset=utf-8",
                StatusPage(snapshot: shown(), canLogIn: access.token != nil && level != .everything).html)
        case .status: return status(shown())
        case .metrics: return Answer(200, type: "text/plain; version=0.0.4; charset=utf-8", MetricsText(shown(), endings: endings()).text)
        case .login: return Answer(303, headers: [("Location", "/")], "the token is right\n")
        case .live, .health: return Answer(200, "ok\n")
        case .ready:
            let phase = snapshot().phase
            return Answer(phase == .running ? 200 : 503, "\(phase.rawValue)\n")
        }
    }

    private func status(_ snapshot: StatusSnapshot) -> Answer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        // A number that is no JSON, such as infinity, is a mistake of whoever fills the snapshot; the page must not fall silent about it.
        do {
            return Answer(200, type: "application/json", StatusHandler.escaped(try encoder.encode(snapshot)) + "\n")
        } catch {
            return Answer(500, "the status can't be written as JSON: \(error)\n")
        }
    }

    /// JSON as a terminal may show it: what is not to be printed stands in its texts alone, where a number can stand for it. Line breaks
    /// between them are the encoder's.
    private static func escaped(_ json: Data) -> String {
        let text = String(decoding: json, as: UTF8.self)
        guard text.unicodeScalars.contains(where: { $0.isUnprintable && $0 != "\n" }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.isUnprintable && scalar != "\n" {
                result += scalar.jsonEscape
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
