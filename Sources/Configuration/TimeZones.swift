import Engine
import Foundation

/// Zones by the names of the time zone database, or by a fixed offset.
enum TimeZones {
    /// nil for a name that is none; `.some(nil)` for UTC.
    static func offsets(_ name: String) -> ZoneOffsets?? {
        if name == "UTC" || name == "Z" { return .some(nil) }
        if let ahead = fixed(name) { return ZoneOffsets(ahead: ahead) }
        // Foundation also takes abbreviations, of which several zones have the same one; a zone's own name has a place in it.
        guard name.utf8.contains(UInt8(ascii: "/")) || TimeZone.knownTimeZoneIdentifiers.contains(name),
            let zone = TimeZone(identifier: name)
        else { return nil }
        return changes(of: zone)
    }

    /// `+02:00` in milliseconds.
    private static func fixed(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
            let hours = Int64(String(decoding: bytes[1...2], as: UTF8.self)),
            let minutes = Int64(String(decoding: bytes[4...5], as: UTF8.self)),
            (0...14).contains(hours), (0...59).contains(minutes)
        else { return nil }
        return (hours * 60 + minutes) * (bytes[0] == UInt8(ascii: "-") ? -60_000 : 60_000)
    }

    /// From 1970 to 2106, as far as records' times reach.
    private static func changes(of zone: TimeZone) -> ZoneOffsets {
        let (start, end) = (Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: 4_291_747_200))
        func ahead(_ date: Date) -> Int64 { Int64(zone.secondsFromGMT(for: date)) * 1000 }
        var changes: [(at: Int64, ahead: Int64)] = []
        var date = start
        while let next = zone.nextDaylightSavingTimeTransition(after: date), next > date, next < end {
            changes.append((Int64(next.timeIntervalSince1970 * 1000), ahead(next)))
            date = next
        }
        return ZoneOffsets(first: ahead(start), changes: changes)
    }
}
