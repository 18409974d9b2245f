import Simulation
import TestSupport

/// One of the worlds that workers are simulated in, with everything else drawn from a seed.
package enum SimulationWorld: CaseIterable, Sendable {
    case job(PurchaseJob)
    /// Each life runs one of the versions of the job.
    case versions(PurchaseJob)
    /// With a checkpoint store.
    case checkpointed(CheckpointedJob.World)
    /// Also, before every second life the state is made final.
    case finalized(CheckpointedJob.World)

    package static var allCases: [SimulationWorld] {
        PurchaseJob.allCases.map(SimulationWorld.job) + PurchaseJob.allCases.map(SimulationWorld.versions)
            + CheckpointedJob.World.allCases.map(SimulationWorld.checkpointed)
            + [.finalized(.sharedWithLostDisks), .finalized(.localWithLostDisks)]
    }

    package var name: String {
        switch self {
        case .job(let job): "\(job)"
        case .versions(let job): "versions of \(job)"
        case .checkpointed(let world): "\(world)"
        case .finalized(let world): "\(world), finalized"
        }
    }

    package func run(seed: UInt64) throws -> SimulationReport {
        switch self {
        case .job(let job): SimulatedJob(job, seed: seed).run()
        case .versions(let job): SimulatedJob(job, seed: seed, hasVersions: true).run()
        case .checkpointed(let world): try CheckpointedJob(world, seed: seed).run()
        case .finalized(let world): try CheckpointedJob(world, seed: seed, finalizesEvery: 2).run()
        }
    }
}
