import Foundation

/// Debian's PostgreSQL on a free port of 127.0.0.1, with a cluster in a directory of its own that a connector may follow.
///
/// It refuses to run as root: then it runs as the user `postgres`, whom its package makes.
package final class PostgreSQLServer: Sendable {
    package let port: Int
    private let directory: TemporaryDirectory
    private let child: ChildProcess
    private static let binaries = "/usr/lib/postgresql/15/bin"

    /// Makes the cluster, starts the server and waits until it answers.
    package init() throws {
        guard FileManager.default.isExecutableFile(atPath: "\(Self.binaries)/initdb") else {
            throw ChildProcessError(description: "\(Self.binaries)/initdb is not there: tools/setup installs postgresql-15")
        }
        port = freePort()
        directory = try TemporaryDirectory("tidemark-postgresql")
        let data = directory.file("data")
        let (prefix, environment) = try Self.unprivileged(in: directory)
        let cluster = try Self.process(
            prefix + ["\(Self.binaries)/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            environment
        )
        guard cluster.waitForExit() == 0 else { throw ChildProcessError(description: "no PostgreSQL cluster: \(cluster.errors)") }
        let settings = [
            "listen_addresses=127.0.0.1", "port=\(port)", "unix_socket_directories=", "wal_level=logical", "fsync=off",
        ]
        child = try Self.process(prefix + ["\(Self.binaries)/postgres", "-D", data] + settings.flatMap { ["-c", $0] })
        try waitUntil("PostgreSQL answers on port \(port)") { [child] in
            guard child.isRunning else { throw ChildProcessError(description: "PostgreSQL ended at once: \(child.errors.suffix(2000))") }
            return (try? rows("SELECT 1")) != nil
        }
    }

    deinit {
        // An immediate shutdown: the server ends its own processes and gives its shared memory back, as SIGKILL would not.
        child.send(SIGQUIT)
        child.waitForExit()
    }

    /// Runs a script; any error in it ends it and is thrown.
    package func run(_ sql: String) throws {
        let path = directory.file("script.sql")
        try sql.write(toFile: path, atomically: true, encoding: .utf8)
        try runFile(path)
    }

    /// Runs the script that lies in a file.
    package func runFile(_ path: String) throws { _ = try client(["-f", path]) }

    /// The rows of a query, each its fields as text.
    package func rows(_ sql: String) throws -> [[String]] {
        try client(["-F", "\t", "-c", sql]).split(separator: "\n").map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    private func client(_ arguments: [String]) throws -> String {
        let connection = ["-h", "127.0.0.1", "-p", "\(port)", "-U", "postgres", "-d", "postgres"]
        let process = try ChildProcess("\(Self.binaries)/psql", connection + ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"] + arguments)
        guard process.waitForExit() == 0 else { throw QueryRefused(description: process.errors) }
        return process.output
    }

    private static func process(_ command: [String], _ environment: [String: String] = [:]) throws -> ChildProcess {
        try ChildProcess(command[0], Array(command.dropFirst()), environment: environment)
    }

    /// What stands before a command so that it runs without root's rights, and the variables by which initdb finds that user's name even
    /// where only root may read the system's list of users.
    private static func unprivileged(in directory: TemporaryDirectory) throws -> ([String], [String: String]) {
        guard geteuid() == 0 else { return ([], [:]) }
        guard let user = getpwnam("postgres")?.pointee else {
            throw ChildProcessError(
                description: "there is no user postgres to run PostgreSQL as: tools/setup installs postgresql-15, which makes it")
        }
        let users = directory.file("users")
        let groups = directory.file("groups")
        try "postgres:x:\(user.pw_uid):\(user.pw_gid):::\n".write(toFile: users, atomically: true, encoding: .utf8)
        try "postgres:x:\(user.pw_gid):\n".write(toFile: groups, atomically: true, encoding: .utf8)
        chmod(users, 0o644)
        chmod(groups, 0o644)
        chown(directory.path, user.pw_uid, user.pw_gid)
        let prefix = ["/usr/bin/setpriv", "--reuid=\(user.pw_uid)", "--regid=\(user.pw_gid)", "--clear-groups"]
        return (prefix, ["LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": users, "NSS_WRAPPER_GROUP": groups])
    }
}
