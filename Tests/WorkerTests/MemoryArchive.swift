import Engine
import Foundation
import Synchronization
import TestSupport

/// An archive that keeps what it was told and can be down, full or taken over.
final class MemoryArchive: CheckpointArchive {
    private struct State {
        var isDown = false
        var isDamaged = false
        var full: String?
        var isTakenOver = false
        var onRefusal: (@Sendable () -> Void)?
        var published: [FinishedCheckpoint] = []
        var files: [Int] = []
        var collections = 0
    }

    private let state = Mutex(State())
    private let collecting = NSLock()

    func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }
    func setDamaged(_ isDamaged: Bool) { state.withLock { $0.isDamaged = isDamaged } }
    /// The file that the archive's disk has no room for; nil where there is room.
    func setFull(_ path: String?) { state.withLock { $0.full = path } }
    /// `onRefusal` runs when that is said for the first time.
    func takeOver(onRefusal: @escaping @Sendable () -> Void) { state.withLock { ($0.isTakenOver, $0.onRefusal) = (true, onRefusal) } }
    var published: [FinishedCheckpoint] { state.withLock { $0.published } }
    var covered: Epoch? { published.last?.facts.epoch }

    private func check(_ state: inout State) throws {
        if state.isDown { throw MemorySinkError(.retry, "the archive is down") }
        if state.isDamaged { throw MemorySinkError(.corrupt, "the archive gives back other bytes than it was given") }
        if let path = state.full {
            throw MemorySinkError(.retry, "the archive's disk is full", cause: FullDisk(path: path, reason: "no space left"))
        }
        guard state.isTakenOver else { return }
        state.onRefusal?()
        state.onRefusal = nil
        throw MemorySinkError(.fenced, "the archive is another worker's")
    }

    func claim(_ facts: CheckpointFacts, _ change: ChangeAtRest) throws -> ArchiveStanding {
        try state.withLock { state in
            try check(&state)
            let last = change == .supersedes ? nil : state.published.last?.facts.epoch
            return ArchiveStanding(continues: last, covered: last, tables: Set(state.published.last?.facts.tables.map(\.name) ?? []))
        }
    }

    func publish(_ checkpoint: FinishedCheckpoint) throws -> PublishedCheckpoint {
        let bytes = (try? FileManager.default.attributesOfItem(atPath: checkpoint.file)[.size] as? Int) ?? 0
        return try state.withLock { state in
            try check(&state)
            state.published.append(checkpoint)
            if checkpoint.content == .base { state.files = [] }
            state.files.append(bytes)
            return PublishedCheckpoint(
                number: UInt64(state.published.count), epoch: checkpoint.facts.epoch, addedBytes: bytes,
                totalBytes: state.files.reduce(0, +)
            )
        }
    }

    func confirmOwnership() throws { try state.withLock { try check(&$0) } }
    /// Collections that began.
    var collections: Int { state.withLock { $0.collections } }

    func collect() throws {
        try state.withLock { state in
            try check(&state)
            state.collections += 1
        }
        collecting.withLock {}
    }

    /// Runs `body` while no collection comes to its end.
    func withoutEndOfCollections<Result>(_ body: () throws -> Result) rethrows -> Result { try collecting.withLock(body) }
}
