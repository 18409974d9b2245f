import Engine
import Simulation

/// An archive with one promise broken.
///
/// `@unchecked Sendable`: a simulation runs one thread at a time.
final class BrokenArchive: CheckpointArchive, @unchecked Sendable {
    enum Break: CaseIterable {
        /// Another worker won, and this one goes on.
        case ignoresALostRace
        /// Nobody asks whose the job is between two checkpoints.
        case neverAsks
        /// No answer counts as success.
        case trustsAnUnknownAnswer
        /// A checkpoint counts as published when it is begun.
        case publishesLate
        /// What it holds is said to know every table of the state.
        case knowsEveryTable
    }

    private let archive: any CheckpointArchive
    private let broken: Break
    private var number: UInt64 = 1 << 32
    private var held: FinishedCheckpoint?

    init(_ archive: any CheckpointArchive, _ broken: Break) {
        self.archive = archive
        self.broken = broken
    }

    func claim(_ facts: CheckpointFacts, _ change: ChangeAtRest) throws -> ArchiveStanding {
        do {
            let standing = try archive.claim(facts, change)
            guard broken == .knowsEveryTable else { return standing }
            return ArchiveStanding(
                continues: standing.continues, covered: standing.covered, chain: standing.chain, tables: Set(facts.tables.map(\.name))
            )
        } catch let error as any Failure where broken == .ignoresALostRace && error.kind == .fenced {
            return ArchiveStanding(continues: nil, covered: facts.epoch)
        }
    }

    func publish(_ checkpoint: FinishedCheckpoint) throws -> PublishedCheckpoint {
        if broken == .publishesLate, checkpoint.reason == .interval {
            defer { held = checkpoint }
            if let held { _ = try archive.publish(held) }
            return madeUp(checkpoint)
        }
        do {
            return try archive.publish(checkpoint)
        } catch let error as any Failure {
            let isIgnored =
                switch broken {
                case .ignoresALostRace: error.kind == .fenced
                case .trustsAnUnknownAnswer: error.kind == .retry
                case .neverAsks, .publishesLate, .knowsEveryTable: false
                }
            guard isIgnored else { throw error }
            return madeUp(checkpoint)
        }
    }

    private func madeUp(_ checkpoint: FinishedCheckpoint) -> PublishedCheckpoint {
        number += 1
        return PublishedCheckpoint(number: number, epoch: checkpoint.facts.epoch, addedBytes: 1, totalBytes: 1)
    }

    func confirmOwnership() throws {
        if broken == .neverAsks { return }
        do {
            try archive.confirmOwnership()
        } catch let error as any Failure where broken == .ignoresALostRace && error.kind == .fenced {}
    }

    func collect() throws { try archive.collect() }
}
