/// What surrounds a start before it has a state. Every call blocks, and throws what ends the start.
package protocol RestorationSurroundings: AnyObject {
    /// True when there is no state, or only one without epochs that a start left which was refused, and that is in nobody's way.
    func isWithoutState() throws -> Bool
    /// What is to be restored; nil when there is no checkpoint. `unusable`: those that turned out to be damaged.
    func choose(except unusable: Set<UInt64>) throws -> RestorableCheckpoint?
    /// Makes a state of the checkpoint that was chosen last. Throws kind `corrupt` when its objects are damaged.
    func restore(_ checkpoint: RestorableCheckpoint) throws
    func tell(_ remark: StartRemark)
}

/// The first part of a start: where there is no state, it is made of a checkpoint.
package struct StateRestore {
    /// Which checkpoint the operator wants.
    package enum Wish: Sendable {
        /// None: what is not there begins anew.
        case none
        /// The newest that can be restored.
        case newest
        /// That one and no other.
        case named
    }

    private let wish: Wish
    private let irrevocable: SinkName?

    /// `irrevocable`: a sink that what was delivered can't be rolled back in; nil when there is none.
    package init(_ wish: Wish, irrevocable: SinkName?) {
        self.wish = wish
        self.irrevocable = irrevocable
    }

    package func run(in surroundings: any RestorationSurroundings) throws {
        guard try isDue(in: surroundings) else { return }
        var unusable: Set<UInt64> = []
        while let found = try choice(in: surroundings, except: unusable) {
            surroundings.tell(.restores(found))
            do {
                try surroundings.restore(found)
                return surroundings.tell(.restored(found))
            } catch let error as any Failure where error.kind == .corrupt && wish == .newest {
                surroundings.tell(.damaged(found, error))
                unusable.insert(found.number)
            }
        }
    }

    /// Whether a start looks for a checkpoint.
    package func isDue(in surroundings: any RestorationSurroundings) throws -> Bool { try wish != .none && surroundings.isWithoutState() }

    /// What a start without a state restores; nil when it begins anew.
    package func choice(in surroundings: any RestorationSurroundings, except unusable: Set<UInt64> = []) throws -> RestorableCheckpoint? {
        guard wish != .none, let found = try surroundings.choose(except: unusable) else { return nil }
        if let irrevocable, found.lineage != nil { throw StartRefusal.cannotRollBack(irrevocable) }
        return found
    }
}
