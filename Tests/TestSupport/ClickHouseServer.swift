import Foundation
import Synchronization

/// Debian's clickhouse-server on free ports, with its data in a directory of its own.
package final class ClickHouseServer: TestClickHouse {
    package let port: Int
    private let tcpPort: Int
    private let directory: TemporaryDirectory
    private let child = Mutex<ChildProcess?>(nil)

    private static let executable = "/usr/sbin/clickhouse-server"

    /// Starts the server and waits until it answers.
    package init() throws {
        guard FileManager.default.isExecutableFile(atPath: ClickHouseServer.executable) else {
            throw QueryRefused(description: "\(ClickHouseServer.executable) is not there: tools/setup installs it")
        }
        port = freePort()
        tcpPort = freePort()
        directory = try TemporaryDirectory("tidemark-clickhouse")
        for name in ["data", "tmp"] {
            try FileManager.default.createDirectory(atPath: directory.file(name), withIntermediateDirectories: true)
        }
        try configuration.write(toFile: directory.file("config.xml"), atomically: true, encoding: .utf8)
        try users.write(toFile: directory.file("users.xml"), atomically: true, encoding: .utf8)
        try start()
    }

    package func start() throws {
        let started = try ChildProcess(
            ClickHouseServer.executable, ["--config-file=\(directory.file("config.xml"))"], workingDirectory: directory.path
        )
        child.withLock { $0 = started }
        try waitUntilUp(started)
    }

    package func send(_ signal: Int32) { child.withLock { $0?.send(signal) } }

    package func kill() {
        child.withLock {
            $0?.send(SIGKILL)
            $0?.waitForExit()
            $0 = nil
        }
    }

    /// What the server has written to its log since it was started.
    package var log: String { child.withLock { $0?.errors ?? "" } }

    private var configuration: String {
        """
        <yandex>
            <logger><level>warning</level><console>1</console></logger>
            <http_port>\(port)</http_port><tcp_port>\(tcpPort)</tcp_port><listen_host>127.0.0.1</listen_host>
            <path>\(directory.file("data"))/</path><tmp_path>\(directory.file("tmp"))/</tmp_path>
            <users_config>users.xml</users_config><default_profile>default</default_profile>
            <default_database>default</default_database>
            <mark_cache_size>67108864</mark_cache_size><timezone>UTC</timezone>
        </yandex>
        """
    }

    private var users: String {
        """
        <yandex>
            <profiles><default></default><watcher><readonly>2</readonly></watcher></profiles><quotas><default></default></quotas>
            <users>
                <default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
                <writer><password>tide's mark</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></writer>
                <watcher><password></password><networks><ip>127.0.0.1</ip></networks><profile>watcher</profile><quota>default</quota></watcher>
            </users>
        </yandex>
        """
    }
}
