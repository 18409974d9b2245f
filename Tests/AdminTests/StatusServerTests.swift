import Foundation
import FoundationNetworking
import TestSupport
import Testing

@testable import Admin

@Suite("Status page: what the worker shows over HTTP")
struct StatusServerTests {
    static func snapshot(_ phase: StatusSnapshot.Phase = .running) -> StatusSnapshot {
        var snapshot = StatusSnapshot(
            job: "fintech <b>", version: "0.1.0", phase: phase, uptimeSeconds: 75, lineage: 1, epoch: 42, lastCommitMilliseconds: 3.25,
            isReadingHeld: false, memory: .init(stateBytes: 3 << 20, stateBudget: 512 << 20, outboxBytes: 1 << 20, residentBytes: 90 << 20)
        )
        snapshot.partitions = [
            .init(
                topic: "t", partition: 0, nextOffset: 1_234_567, endOffset: 1_234_600, watermark: 1_736_942_400_000, isIdle: false,
                records: 9, rejected: 1, late: 0, skipped: ["u": 2]),
            .init(
                topic: "t", partition: 1, nextOffset: nil, endOffset: nil, watermark: nil, isIdle: true, records: 0, rejected: 0, late: 0,
                skipped: [:]),
        ]
        snapshot.tables = [
            .init(
                name: "customer_transaction_metrics", delivery: .waiting, pendingRows: 5, frozenBatches: 2, frozenRows: 700,
                lastFrozenBatch: 9, rowsDelivered: 4321, insertsSent: 8)
        ]
        snapshot.references = [
            .init(
                name: "customers", topic: "c", keys: 54_321, memoryBytes: 7 << 20, records: 60_000, unusable: 3, loaded: 61_000,
                toLoad: 61_111)
        ]
        snapshot.references[0].defects = [
            .init(reason: "bad_value", field: "id", count: 2, partition: 1, offset: 4567),
            .init(reason: "malformed_json", field: nil, count: 1, partition: 0, offset: 12),
        ]
        snapshot.start = [.init(part: "wait", seconds: 2.25), .init(part: "first record", seconds: 0.125)]
        snapshot.drain = [.init(part: "reading", seconds: 0.5)]
        snapshot.problems = [.init(time: 1_736_942_400_000, message: "ClickHouse said \"no\" & went away")]
        return snapshot
    }

    /// A server at an address of this machine that tells nobody anything.
    static func server(_ host: String = "127.0.0.1", port: UInt16 = 0, _ snapshot: @escaping @Sendable () -> StatusSnapshot) throws
        -> StatusServer
    {
        try StatusServer(host: host, port: port, access: PageAccess(place: .loopback, bound: host), report: { _ in }, snapshot: snapshot)
    }

    struct Answer {
        let status: Int
        let type: String
        let body: String
    }

    static func get(_ path: String, of server: StatusServer, method: String = "GET") async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(server.port)\(path)")))
        request.httpMethod = method
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        return Answer(
            status: http.statusCode, type: http.value(forHTTPHeaderField: "Content-Type") ?? "", body: String(decoding: data, as: UTF8.self)
        )
    }

    @Test func statusIsTheSnapshotAsJSON() async throws {
        let server = try Self.server { Self.snapshot() }
        let answer = try await Self.get("/status", of: server)
        #expect(answer.status == 200 && answer.type == "application/json")
        #expect(try JSONDecoder().decode(StatusSnapshot.self, from: Data(answer.body.utf8)) == Self.snapshot())
    }

    @Test func thePageIsCompleteAndEscaped() async throws {
        let server = try Self.server { Self.snapshot() }
        let answer = try await Self.get("/", of: server)
        #expect(answer.status == 200 && answer.type == "text/html; charset=utf-8")
        for text in [
            "fintech &lt;b&gt;", "1\u{202F}234\u{202F}567", ">33<", "2025-01-15 12:00:00", "Watermark (UTC)", ">idle<",
            "customer_transaction_metrics", ">waiting<", "said &quot;no&quot; &amp; went", "90 MiB", ">customers<", "54\u{202F}321",
            ">7 MiB<", "61\u{202F}000 of 61\u{202F}111",
            "bad_value:id 2, last at offset 4\u{202F}567 of partition 1; malformed_json 1, last at offset 12 of partition 0",
            "Start: wait 2\u{202F}250\u{202F}ms, first record 125\u{202F}ms", "Drain: reading 500\u{202F}ms",
        ] {
            #expect(!answer.body.contains("<th></th>"))
            #expect(answer.body.contains(text), "\(text) is missing")
        }
        for outside in ["http://", "https://", "src=", "<script", "@import", "url("] {
            #expect(!answer.body.contains(outside), "the page must need nothing from elsewhere")
        }
    }

    @Test func metricsAreInPrometheusForm() async throws {
        let server = try Self.server { Self.snapshot() }
        let answer = try await Self.get("/metrics", of: server)
        #expect(answer.type == "text/plain; version=0.0.4; charset=utf-8")
        let lines = answer.body.split(separator: "\n")
        for line in [
            "tidemark_epoch{job_id=\"fintech <b>\"} 42",
            "tidemark_partition_lag{job_id=\"fintech <b>\",topic=\"t\",partition=\"0\"} 33",
            "tidemark_partition_idle{job_id=\"fintech <b>\",topic=\"t\",partition=\"1\"} 1",
            "tidemark_skipped_total{job_id=\"fintech <b>\",topic=\"t\",partition=\"0\",reason=\"u\"} 2",
            "tidemark_delivered_batch{job_id=\"fintech <b>\",table=\"customer_transaction_metrics\"} 7",
            "tidemark_rows_delivered_total{job_id=\"fintech <b>\",table=\"customer_transaction_metrics\"} 4321",
            "tidemark_reference_keys{job_id=\"fintech <b>\",reference=\"customers\",topic=\"c\"} 54321",
            "tidemark_reference_records_total{job_id=\"fintech <b>\",reference=\"customers\",topic=\"c\"} 60000",
            "tidemark_reference_defects_total{job_id=\"fintech <b>\",reference=\"customers\",topic=\"c\",reason=\"bad_value\",field=\"id\"} 2",
            "tidemark_reference_unloaded{job_id=\"fintech <b>\",reference=\"customers\",topic=\"c\"} 111",
            "tidemark_start_seconds{job_id=\"fintech <b>\",part=\"first record\"} 0.125",
            "tidemark_drain_seconds{job_id=\"fintech <b>\",part=\"reading\"} 0.5",
            "process_resident_memory_bytes 94371840",
        ] {
            #expect(lines.contains(Substring(line)), "\(line) is missing")
        }
        let names = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        #expect(Set(names).count == names.count, "every metric is described once")
        #expect(lines.allSatisfy { line in line.hasPrefix("#") || names.contains { line.hasPrefix("\($0){") || line.hasPrefix("\($0) ") } })
    }

    @Test(arguments: [(StatusSnapshot.Phase.starting, 503), (.running, 200), (.draining, 503), (.finished, 503)])
    func readinessFollowsThePhaseAndHealthDoesNot(phase: StatusSnapshot.Phase, expected: Int) async throws {
        let server = try Self.server { Self.snapshot(phase) }
        #expect(try await Self.get("/readyz", of: server).status == expected)
        #expect(try await Self.get("/healthz", of: server).status == 200)
    }

    @Test func otherPathsAndMethodsAreRefused() async throws {
        let server = try Self.server("localhost") { Self.snapshot() }
        #expect(try await Self.get("/nothing", of: server).status == 404)
        #expect(try await Self.get("/status", of: server, method: "POST").status == 405)
    }

    @Test func anAddressInUseIsExplained() async throws {
        let first = try Self.server { Self.snapshot() }
        let error = #expect(throws: AdminError.self) { try Self.server(port: first.port) { Self.snapshot() } }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains("127.0.0.1:\(first.port)") == true && error?.message.contains("http.bind") == true)
        #expect(error?.description.contains("Address already in use") == true && error?.description.contains("SocketError") == false)
        #expect(throws: AdminError.self) { try Self.server("nowhere.example") { Self.snapshot() } }
    }

    @Test func thePortIsFreeAgainAfterTheServer() async throws {
        var server: StatusServer? = try Self.server { Self.snapshot() }
        let port = try #require(server?.port)
        server = nil
        var next: StatusServer?
        let limit = ContinuousClock.now + .seconds(30)
        while next == nil && ContinuousClock.now < limit {
            next = try? Self.server(port: port) { Self.snapshot(.draining) }
        }
        #expect(try await Self.get("/readyz", of: #require(next)).status == 503)
    }
}
