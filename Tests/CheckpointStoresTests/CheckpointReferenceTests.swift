import CheckpointStores
import Testing

@Suite("References to checkpoints")
struct CheckpointReferenceTests {
    @Test(arguments: [
        ("latest", CheckpointReference.latest), ("latest~0", .latest), ("latest~2", .latest(back: 2)), ("42", .number(ManifestNumber(42))),
        ("tag:before-upgrade_1.0", .tag("before-upgrade_1.0")),
        ("@2026-09-01T10:00Z", .time(1_788_256_800_000)), ("@2026-09-01T10:00:07Z", .time(1_788_256_807_000)),
        ("@2026-09-01T12:00:07.25+02:00", .time(1_788_256_807_250)),
        ("@2026-09-01T10:00", .time(1_788_256_800_000)), ("@2026-09-01", .time(1_788_220_800_000)),
    ])
    func readsWhatPeopleWrite(text: String, reference: CheckpointReference) throws {
        #expect(try CheckpointReference(text) == reference)
    }

    @Test(arguments: [
        "", "newest", "latest~", "latest~-1", "latest~x", "0", "-1", "4 2", "99999999999999999999", "tag:", "tag:a/b", "tag:.a", "tag:ü",
        "@",
        "@distantPast", "@2026-13-01T10:00Z", "@2026-09-01T10:00.5Z", "@now",
    ])
    func refusesAnythingElseAndSaysHowToWriteOne(text: String) throws {
        let error = #expect(throws: CheckpointError.self) { try CheckpointReference(text) }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains("latest~2") == true)
    }
}
