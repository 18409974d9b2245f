import Engine
import Testing

@Suite("Times as texts")
struct EventTimeTextTests {
    private static let noon: Int64 = 1_736_942_400_000

    @Test(arguments: [
        ("2025-01-15", noon - 43_200_000), ("2025-01-15T12:00", noon), ("2025-01-15T12:00Z", noon), ("2025-01-15 12:00:00", noon),
        ("2025-01-15T12:00:30Z", noon + 30_000), ("2025-01-15T12:00:00.2Z", noon + 200), ("2025-01-15T12:00:00.25", noon + 250),
        ("2025-01-15T12:00:00.250999999Z", noon + 250), ("2025-01-15T14:00+02:00", noon), ("2025-01-15T06:30:00.001-05:30", noon + 1),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("1969-12-31T23:59:59.999Z", -1), ("1970-01-01T00:30+00:30", 0),
    ])
    func everyFormOfATimeIsRead(text: String, milliseconds: Int64) {
        #expect(EventTime(iso8601: text) == EventTime(milliseconds: milliseconds))
        #expect(EventTime(text: text) == EventTime(milliseconds: milliseconds))
    }

    @Test(arguments: [
        "", "2025", "2025-01", "2025-1-15", "2025-02-29", "2025-13-01", "2025-00-10", "2025-01-00", "25-01-15", "2025-01-15T",
        "2025-01-15Z", "2025-01-15+02:00",
        "2025-01-15T12", "2025-01-15T12Z", "2025-01-15T24:00", "2025-01-15T12:60", "2025-01-15T12:00:60", "2025-01-15T12:00.5Z",
        "2025-01-15T12:00:00.Z",
        "2025-01-15T12:00:00.1234567890Z", "2025-01-15T12:00:00.12x4Z", "2025-01-15T12:00:00.1x", "2025-01-15t12:00", "2025-01-15T12:00z",
        "2025-01-15T12:00ZZ",
        "2025-01-15T12:00Z+02:00", "2025-01-15T12:00+0200", "2025-01-15T12:00+02", "2025-01-15T12:00+24:00", "2025-01-15T12:00-02:60",
        "2025-01-15T12:00 ",
        " 2025-01-15", "2025-01-15T12:00:00,5", "２０２５-01-15", "now",
    ])
    func anythingElseIsNoTime(text: String) {
        #expect(EventTime(iso8601: text) == nil)
        #expect(EventTime(text: text) == nil)
    }

    @Test(arguments: [
        EventTime(milliseconds: noon + 7), EventTime(milliseconds: -1), EventTime(milliseconds: 0), .distantPast, .distantFuture,
    ])
    func whatIsWrittenIsReadBack(time: EventTime) { #expect(EventTime(text: time.text) == time) }

    @Test func theEndsOfTimeAreNoneThatPeopleWrite() { #expect(EventTime(iso8601: "distantPast") == nil) }
}
