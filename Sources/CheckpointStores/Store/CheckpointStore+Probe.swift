import Engine
import Foundation
import Synchronization

extension CheckpointStore {
    /// How many writers the probe lets loose on one key.
    static let probeWriters = 32

    /// Makes sure that the store keeps the promises that everything here rests on: of 32 concurrent creates one wins, its
    /// bytes stay, and they are read, listed and removed as they should be. Throws kind `invalid` for a store that can't
    /// be used. Writes below `<job>/probe/` and removes it again.
    package func probe() throws(CheckpointError) {
        let key = layout.probe(String(UInt64.random(in: 0 ... .max), radix: 16))
        do throws(CheckpointError) {
            try raceForOne(key)
            try checkListing(of: key)
        } catch {
            // What failed says more than a failing removal would.
            try? objects.delete(key)
            throw error
        }
        try objects.delete(key)
        guard try objects.get(key, limit: CheckpointStore.probeLongest) == nil else {
            throw unfit("an object that was removed is still there")
        }
    }

    private static let probeLongest = 1 << 10

    private func raceForOne(_ key: ObjectKey) throws(CheckpointError) {
        let created = try createAtOnce(key)
        if created.isEmpty, try objects.get(key, limit: CheckpointStore.probeLongest) != nil {
            throw CheckpointError(.retry, "\(location): the answer to the create that won was lost; probe again")
        }
        guard created.count == 1 else {
            throw unfit("\(created.count) of \(CheckpointStore.probeWriters) concurrent creates of one object won")
        }
        let stored = try objects.get(key, limit: CheckpointStore.probeLongest)
        guard stored == CheckpointStore.probeBytes(created[0]) else { throw unfit("the object of the one create that won is not there") }
        guard try objects.put(.bytes(CheckpointStore.probeBytes(-1)), at: key, onlyIfAbsent: true) == .exists,
            try objects.get(key, limit: CheckpointStore.probeLongest) == stored
        else { throw unfit("an object was overwritten that should only have been created") }
    }

    /// The writers that were told to have won. A writer whose first answer was lost doesn't learn that it has.
    private func createAtOnce(_ key: ObjectKey) throws(CheckpointError) -> [Int] {
        let outcomes = Mutex<[(writer: Int, result: Result<PutOutcome, CheckpointError>)]>([])
        let ended = DispatchGroup()
        for writer in 0..<CheckpointStore.probeWriters {
            ended.enter()
            Thread.detachNewThread { [objects] in
                let result = Result { () throws(CheckpointError) in
                    try objects.put(.bytes(CheckpointStore.probeBytes(writer)), at: key, onlyIfAbsent: true)
                }
                outcomes.withLock { $0.append((writer, result)) }
                ended.leave()
            }
        }
        ended.wait()
        var created: [Int] = []
        for (writer, result) in outcomes.withLock({ $0 }) where try result.get() == .created { created.append(writer) }
        return created
    }

    private func checkListing(of key: ObjectKey) throws(CheckpointError) {
        let listed = try objects.list(prefix: key.text, after: nil, limit: 2)
        guard listed.map(\.key) == [key], try objects.list(prefix: key.text, after: key, limit: 2).isEmpty else {
            throw unfit("an object that was written is not listed as it should be")
        }
    }

    private static func probeBytes(_ writer: Int) -> [UInt8] { Array("probe \(writer)\n".utf8) }

    private func unfit(_ what: String) -> CheckpointError {
        CheckpointError(
            .invalid, "\(location) can't hold checkpoints: \(what); use a store with atomic creation (S3's If-None-Match, or hard links)")
    }
}
