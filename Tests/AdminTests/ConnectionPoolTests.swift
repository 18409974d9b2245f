import Testing

@testable import Admin

@Suite("Status page: which connection has to go")
struct ConnectionPoolTests {
    let start = ContinuousClock.now
    let limits = ConnectionPool.Limits(connections: 4, perNeighbour: 2, requestTime: .seconds(5), answerTime: .seconds(20))
    let one = NetworkAddress(bytes: [10, 0, 0, 1])
    let other = NetworkAddress(bytes: [10, 0, 0, 2])

    private func admitted(
        _ pool: inout ConnectionPool, _ descriptor: Int32, _ neighbour: NetworkAddress, after time: Duration = .zero, input: Set<Int32> = []
    ) -> [String] {
        let ended = pool.admit(descriptor, from: neighbour, at: start + time, hasInput: { input.contains($0) }).map {
            "\($0.descriptor) \($0.why)"
        }
        pool.serve(descriptor)
        return ended
    }

    @Test func aNeighboursOldestMakesRoomForItsNewest() {
        var pool = ConnectionPool(limits)
        #expect(admitted(&pool, 1, one) == [] && admitted(&pool, 2, other) == [] && admitted(&pool, 3, one) == [])
        #expect(admitted(&pool, 4, one) == ["1 neighbour"])
        #expect(admitted(&pool, 5, one) == ["3 neighbour"], "what is ending is not ended again")
        #expect(pool.count == 5)
    }

    @Test func theOldestWithoutAWholeRequestMakesRoomWhenAllAreTaken() throws {
        var pool = ConnectionPool(limits)
        for number in Int32(1)...4 { #expect(admitted(&pool, number, NetworkAddress(bytes: [10, 0, 1, UInt8(number)])) == []) }
        pool.noteRequest(of: 1, at: start)
        #expect(admitted(&pool, 5, one, after: .seconds(1)) == ["2 full"])
        for number in Int32(3)...5 { pool.noteRequest(of: number, at: start) }
        #expect(admitted(&pool, 6, other, after: .seconds(2)) == ["1 full"], "when all have one, the oldest")
    }

    /// Else a flood of whole requests would keep out who has just come.
    @Test func whoHasJustComeMakesRoomForNobody() {
        var pool = ConnectionPool(limits)
        for number in Int32(1)...4 {
            #expect(pool.hasRoom(at: start) { _ in false })
            #expect(admitted(&pool, number, NetworkAddress(bytes: [10, 0, 1, UInt8(number)])) == [])
            pool.noteRequest(of: number, at: start)
        }
        #expect(!pool.hasRoom(at: start + .milliseconds(24)) { _ in false } && pool.hasRoom(at: start + .milliseconds(25)) { _ in false })
        #expect(admitted(&pool, 5, one, after: .milliseconds(25)) == ["1 full"])
        #expect(admitted(&pool, 6, other, after: .milliseconds(26)) == ["2 full"])
        #expect(admitted(&pool, 7, NetworkAddress(bytes: [10, 0, 2, 1]), after: .milliseconds(50)) == ["5 full"], "without a request")
    }

    @Test func whatTheServerHasNotReadYetCostsNobodyTheConnection() {
        var pool = ConnectionPool(limits)
        for number in Int32(1)...4 { _ = admitted(&pool, number, NetworkAddress(bytes: [10, 0, 1, UInt8(number)])) }
        #expect(!pool.hasRoom(at: start + .seconds(1)) { _ in true } && pool.hasRoom(at: start + .seconds(1)) { $0 != 3 })
        #expect(admitted(&pool, 5, one, after: .seconds(1), input: [1, 2]) == ["3 full"])
    }

    @Test func nothingIsTakenWhileTheServerHasYetToCloseWhatWasEnded() {
        var pool = ConnectionPool(limits)
        for number in Int32(1)...8 {
            #expect(pool.hasRoom(at: start + .seconds(1)) { _ in false })
            _ = admitted(&pool, number, NetworkAddress(bytes: [10, 0, 1, UInt8(number)]))
        }
        #expect(!pool.hasRoom(at: start + .seconds(1)) { _ in false })
        pool.remove(1)
        #expect(pool.hasRoom(at: start + .seconds(1)) { _ in false })
    }

    @Test func aRequestHasOneTimeHoweverItComes() {
        var pool = ConnectionPool(limits)
        #expect(admitted(&pool, 1, one) == [] && admitted(&pool, 2, other) == [])
        pool.noteRequest(of: 2, at: start + .seconds(4))
        pool.noteRequest(of: 2, at: start + .seconds(10))
        #expect(pool.nextDeadline == start + .seconds(5))
        #expect(pool.overdue(at: start + .seconds(4.9)).isEmpty)
        #expect(pool.overdue(at: start + .seconds(5)).map { "\($0.descriptor) \($0.why)" } == ["1 slowRequest"])
        #expect(pool.nextDeadline == start + .seconds(24))
        #expect(pool.overdue(at: start + .seconds(6)).isEmpty)
        #expect(pool.overdue(at: start + .seconds(24)).map { "\($0.descriptor) \($0.why)" } == ["2 slowAnswer"])
        pool.remove(1)
        pool.remove(2)
        #expect(pool.count == 0 && pool.nextDeadline == nil)
    }

    /// Its descriptor may be somebody else's by now.
    @Test func whatTheServerNeverTookIsForgottenInsteadOfEnded() {
        var pool = ConnectionPool(limits)
        _ = pool.admit(7, from: one, at: start) { _ in false }
        #expect(pool.makeRoom(at: start + .seconds(1), hasInput: { _ in false }) == nil)
        #expect(pool.overdue(at: start + .seconds(5)).isEmpty && pool.count == 0)
    }

    @Test func theNeighbourOfIPv6IsANetwork() throws {
        let addresses = try ["2001:db8::1", "2001:db8::ffff:1:2:3", "2001:db8:0:1::1", "::ffff:10.0.0.1", "10.0.0.1"].map {
            try #require(NetworkAddress($0))
        }
        #expect(addresses[0].neighbour == addresses[1].neighbour && addresses[0].neighbour != addresses[2].neighbour)
        #expect(addresses[3] == addresses[4] && addresses[3].neighbour == one)
    }
}
