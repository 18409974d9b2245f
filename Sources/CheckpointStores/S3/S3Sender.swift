import CurlHTTP
import Engine
import Foundation

/// Sends requests until their end is known, so often as the settings say.
struct S3Sender: Sendable {
    private let settings: S3Settings
    private let connections: S3Connections
    private let isCancelled: @Sendable () -> Bool

    /// How long a pause goes on without asking whether the process is stopping.
    private static let pausePieceSeconds = 0.1

    init(settings: S3Settings, isCancelled: @escaping @Sendable () -> Bool) {
        self.settings = settings
        self.isCancelled = isCancelled
        connections = S3Connections(settings.tls)
    }

    /// An answer other than `unknown` and `refused`, which are errors.
    ///
    /// - Parameter subject: what is asked for, for messages.
    /// - Parameter problem: looked at after a request that failed: an error that another attempt would not mend.
    func send(
        _ subject: String, _ perform: (HTTPClient) throws(HTTPError) -> HTTPResponse, orStop problem: () -> CheckpointError? = { nil }
    ) throws(CheckpointError) -> (answer: S3Answer, response: HTTPResponse) {
        var reason = ""
        var pause = settings.firstPause
        for attempt in 1...max(1, settings.attempts) {
            if attempt > 1 {
                try wait(pause, subject)
                pause *= 2
            }
            let response: HTTPResponse
            do throws(HTTPError) {
                response = try connections.with(perform)
            } catch {
                if let problem = problem() { throw problem }
                reason = try whyToTryAgain(error, subject)
                continue
            }
            let answer = S3Answer(response, subject: subject, hiding: settings.secrets)
            switch answer {
            case .done, .absent, .exists: return (answer, response)
            case .unknown(let text): reason = text
            case .refused(let error): throw error
            }
        }
        throw CheckpointError(.retry, "\(reason); given up after \(settings.attempts) attempts, try again when the store answers")
    }

    private func whyToTryAgain(_ error: HTTPError, _ subject: String) throws(CheckpointError) -> String {
        switch error.kind {
        case .nothingSent, .unknown: return "\(subject): \(error.message)"
        case .cancelled: throw stopped(subject)
        case .invalidRequest:
            throw CheckpointError(.invalid, "\(subject): \(error.message); check AWS_ENDPOINT_URL and the store's location")
        }
    }

    private func wait(_ pause: Duration, _ subject: String) throws(CheckpointError) {
        let (seconds, attoseconds) = pause.components
        let end = Date().addingTimeInterval(Double(seconds) + Double(attoseconds) / 1e18)
        while Date() < end {
            if isCancelled() { throw stopped(subject) }
            Thread.sleep(forTimeInterval: min(S3Sender.pausePieceSeconds, max(0, end.timeIntervalSinceNow)))
        }
    }

    private func stopped(_ subject: String) -> CheckpointError {
        CheckpointError(.retry, "\(subject): given up because this process is stopping; whether it happened is not known")
    }
}
