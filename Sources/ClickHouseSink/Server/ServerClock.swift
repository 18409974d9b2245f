import CurlHTTP
import Engine
import Synchronization

/// What time the server has, going by the `Date` of its latest answer and how long ago that was.
final class ServerClock: Sendable {
    private struct Reading {
        let time: EventTime
        let at: ContinuousClock.Instant
    }

    private let latest = Mutex<Reading?>(nil)

    /// nil while no answer had a date.
    var now: EventTime? {
        latest.withLock { reading in
            guard let reading else { return nil }
            let (seconds, attoseconds) = (ContinuousClock.now - reading.at).components
            return EventTime(milliseconds: reading.time.milliseconds + seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        }
    }

    /// Takes note of an answer's date; one without a date that can be read changes nothing.
    func note(_ response: HTTPResponse) {
        guard let time = response.header("Date").flatMap(ServerClock.time) else { return }
        latest.withLock { $0 = Reading(time: time, at: .now) }
    }

    /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that servers write.
    static func time(ofDate text: String) -> EventTime? {
        let words = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).compactMap { String($0) }
        guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: words[2]) else { return nil }
        return EventTime(iso8601: "\(words[3])-\(month < 9 ? "0" : "")\(month + 1)-\(words[1])T\(words[4])Z")
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
