import Engine
import TestSupport
import Testing

@testable import ClickHouseSink

@Suite("Promise 2 and 3: whatever happens to an INSERT, nothing is lost and nothing lands twice", .servers(.debian1816, .engine269))
struct DeliveryFaultTests {
    /// One fault on the way of the second of three batches, whose connection is a kept one.
    private static let faults: [RequestFault] = [
        .cutBody, .dropAnswer, .answerItself(status: 500), .answerItself(status: 502), .exceptionHeader(code: 241), .stall,
        .deliverLate(seconds: 0.15),
    ]

    @Test(arguments: ServerVersion.allCases, faults)
    func oneFault(version: ServerVersion, fault: RequestFault) throws {
        let fixture = try SinkFixture(version)
        let proxy = try FaultProxy(to: fixture.server.port)
        var settings = fixture.settings(url: proxy.url)
        settings.insertTimeout = .seconds(1)
        let sink = try fixture.sink(Waves.table, settings: settings)
        try sink.deliver(Waves.batch(1))
        proxy.meet([fault])
        #expect(try sink.deliver(Waves.batch(2)) == .delivered)
        try sink.deliver(Waves.batch(3))
        #expect(try fixture.delivered() == Waves.rows(1) + Waves.rows(2) + Waves.rows(3))
        let status = try #require(sink.status.first)
        #expect(status.batchesDelivered == 3 && status.rowsDelivered == 15 && status.lastBatch == 3 && status.state == .idle)
        #expect(status.lastError?.contains("batch 2") == true)
    }

    @Test func aRowOfFaultsOnOneBatch() throws {
        let fixture = try SinkFixture(.debian1816)
        let proxy = try FaultProxy(to: fixture.server.port)
        var settings = fixture.settings(url: proxy.url)
        settings.insertTimeout = .milliseconds(500)
        let sink = try fixture.sink(Waves.table, settings: settings)
        proxy.meet([.cutBody, .answerItself(status: 500), .stall, .cutBody, .dropAnswer])
        try sink.deliver(Waves.batch(1))
        #expect(try fixture.delivered() == Waves.rows(1))
        #expect(proxy.chosenSeen == 5)
    }

    @Test("An error answer with all rows present says that a materialized view may lack them")
    func landedDespiteAnError() throws {
        let fixture = try SinkFixture(.engine269)
        let proxy = try FaultProxy(to: fixture.server.port)
        let sink = try fixture.sink(Waves.table, settings: fixture.settings(url: proxy.url))
        proxy.meet([.exceptionHeader(code: 241)])
        try sink.deliver(Waves.batch(1))
        #expect(fixture.log.text.contains("a materialized view on the table may lack them"))
        #expect(proxy.chosenSeen == 1)
    }

    @Test("A request delivered whole half a resolve delay after the client gave up is waited for and counted")
    func deliveredLate() throws {
        let fixture = try SinkFixture(.debian1816)
        let proxy = try FaultProxy(to: fixture.server.port)
        // The real delay is 10 s for requests that come 5 s late; here both are a quarter.
        var settings = fixture.settings(url: proxy.url, resolveDelay: .milliseconds(2500))
        settings.insertTimeout = .milliseconds(300)
        #expect(ClickHouseSettings(url: "http://x", job: "j").resolveDelay == .seconds(10))
        let sink = try fixture.sink(Waves.table, settings: settings)
        proxy.meet([.deliverLate(seconds: 1.25)])
        try sink.deliver(Waves.batch(1))
        #expect(proxy.lateDeliveries == 1)
        #expect(proxy.chosenSeen == 1, "it landed late, so it was not sent again")
        #expect(try fixture.delivered() == Waves.rows(1))
    }

    @Test("A cancelled delivery leaves its batch to be resolved later", arguments: ServerVersion.allCases)
    func cancelled(version: ServerVersion) throws {
        let fixture = try SinkFixture(version)
        let proxy = try FaultProxy(to: fixture.server.port)
        let sink = try fixture.sink(Waves.table, settings: fixture.settings(url: proxy.url))
        proxy.meet([.dropAnswer])
        let outcome = try sink.deliver(Waves.batch(1), mayHaveBeenSent: false, isCancelled: { proxy.chosenSeen > 0 })
        #expect(outcome == .cancelled)
        try sink.deliver(Waves.batch(1), mayHaveBeenSent: true)
        try sink.deliver(Waves.batch(2), mayHaveBeenSent: true)
        #expect(try fixture.delivered() == Waves.rows(1) + Waves.rows(2))
        proxy.meet([.dropAnswer])
        #expect(try sink.deliver(Waves.batch(3), mayHaveBeenSent: false, isCancelled: { proxy.chosenSeen > 2 }) == .cancelled)
        let start = ContinuousClock.now
        try sink.deliver(Waves.batch(3), mayHaveBeenSent: true)
        #expect(.now - start > .milliseconds(300), "what this process itself left behind is waited for, too")
        #expect(try fixture.delivered().count == 15)
    }

    @Test("Row formats are never used, and every INSERT carries its batch's name")
    func insertStatements() throws {
        let fixture = try SinkFixture(.engine269)
        let proxy = try FaultProxy(to: fixture.server.port)
        let sink = try fixture.sink(Waves.table, settings: fixture.settings(url: proxy.url))
        proxy.meet([.answerItself(status: 500)])
        try sink.deliver(Waves.batch(1))
        let inserts = proxy.targets.filter { $0.contains("query=INSERT") }
        #expect(inserts.count == 2)
        let name = "waves%2Fclickhouse%2F\(fixture.database).waves%2F1%2F1"
        for target in inserts {
            #expect(target.contains("FORMAT%20Native&"))
            for parameter in [
                "query_id=\(name)", "insert_deduplication_token=\(name)", "wait_end_of_query=1", "async_insert=0", "http_receive_timeout=1",
            ] {
                #expect(target.contains(parameter), "\(parameter)")
            }
        }
        #expect(!proxy.targets.contains { $0.contains("password") || $0.contains("user=") })
    }
}
