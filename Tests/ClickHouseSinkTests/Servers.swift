import TestSupport
import Testing

/// The two ClickHouse versions that the tests run on.
enum ServerVersion: String, CaseIterable, Sendable {
    /// Debian's clickhouse-server: a real server with processes, kills and restarts.
    case debian1816
    /// chdb-core's engine behind a small HTTP front: today's types, settings and errors.
    case engine269
}

/// The servers of the suite that runs, started before its first test and ended after its last.
struct Servers: Sendable {
    @TaskLocal static var current: Servers?
    let byVersion: [ServerVersion: any TestClickHouse]

    static subscript(version: ServerVersion) -> any TestClickHouse {
        guard let server = current?.byVersion[version] else { preconditionFailure("the suite starts no \(version): .servers(…) is missing") }
        return server
    }
}

/// Starts servers for a suite.
struct ServersTrait: SuiteTrait, TestScoping {
    let versions: [ServerVersion]

    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        var byVersion: [ServerVersion: any TestClickHouse] = [:]
        defer { byVersion.values.forEach { $0.kill() } }
        for version in versions {
            byVersion[version] = version == .debian1816 ? try ClickHouseServer() : try ChdbServer()
        }
        try await Servers.$current.withValue(Servers(byVersion: byVersion), operation: function)
    }
}

extension Trait where Self == ServersTrait {
    static func servers(_ versions: ServerVersion...) -> ServersTrait { ServersTrait(versions: versions) }
}
