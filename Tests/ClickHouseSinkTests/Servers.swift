import Synchronization
import TestSupport
import Testing

/// The two ClickHouse versions that the tests run on.
enum ServerVersion: String, CaseIterable, Sendable {
    /// Debian's clickhouse-server: a real server with processes, kills and restarts.
    case debian1816
    /// chdb-core's engine behind a small HTTP front: today's types, settings and errors.
    case engine269
}

/// The servers of the suite that runs.
struct Servers: Sendable {
    @TaskLocal static var current: Servers?
    let byVersion: [ServerVersion: any TestClickHouse]

    static subscript(version: ServerVersion) -> any TestClickHouse {
        guard let server = current?.byVersion[version] else {
            preconditionFailure("the suite starts no \(version): .servers(…) is missing")
        }
        return server
    }

    static func start(_ version: ServerVersion) throws -> any TestClickHouse {
        switch version {
        case .debian1816: try ClickHouseServer()
        case .engine269: try ChdbServer()
        }
    }
}

/// One server of each version for all suites that run at the same time; the last that leaves ends it.
enum SharedServers {
    private static let users = Mutex<[ServerVersion: (server: any TestClickHouse, count: Int)]>([:])

    static func enter(_ version: ServerVersion) throws -> any TestClickHouse {
        try users.withLock { users in
            let server = try users[version]?.server ?? Servers.start(version)
            users[version] = (server, (users[version]?.count ?? 0) + 1)
            return server
        }
    }

    static func leave(_ version: ServerVersion) {
        users.withLock { users in
            guard let (server, count) = users[version] else { return }
            users[version] = count > 1 ? (server, count - 1) : nil
            if count == 1 { server.kill() }
        }
    }
}

/// Gives a suite its servers, before its first test and until after its last.
struct ServersTrait: SuiteTrait, TestScoping {
    let versions: [ServerVersion]
    /// Not shared with other suites, because the tests end them.
    let areOwn: Bool

    func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
        var byVersion: [ServerVersion: any TestClickHouse] = [:]
        defer {
            for (version, server) in byVersion {
                if areOwn { server.kill() } else { SharedServers.leave(version) }
            }
        }
        for version in versions {
            byVersion[version] = areOwn ? try Servers.start(version) : try SharedServers.enter(version)
        }
        try await Servers.$current.withValue(Servers(byVersion: byVersion), operation: function)
    }
}

extension Trait where Self == ServersTrait {
    static func servers(_ versions: ServerVersion...) -> ServersTrait { ServersTrait(versions: versions, areOwn: false) }
    static func ownServers(_ versions: ServerVersion...) -> ServersTrait { ServersTrait(versions: versions, areOwn: true) }
}
