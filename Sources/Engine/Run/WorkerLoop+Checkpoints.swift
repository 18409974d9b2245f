extension WorkerLoop {
    // MARK: - Between epochs

    /// Begins a checkpoint that is due, or makes a step of the copy under way.
    mutating func advanceCheckpoint(_ now: Duration) -> [Action] {
        guard !claims, checkpointing != nil else { return [] }
        let (epoch, isUrgent) = (coordinator.epoch, coordinator.awaitsCheckpoint)
        if checkpointing?.next(now: now, epoch: epoch, isUrgent: isUrgent) != nil { return beginCopy() }
        guard checkpointing?.copying != nil, now >= nextCopyStep else { return [] }
        nextCopyStep = now + WorkerLoop.copyStep + WorkerLoop.copyPause
        return [.checkpoint(.stepCopy(WorkerLoop.copyStep))]
    }

    var isCheckpointUnderWay: Bool { claims || checkpointing?.copying != nil || checkpointing?.publishing != nil }

    /// Of what `copying` says; a job that nobody could be asked about when the run began is claimed first.
    private mutating func beginCopy() -> [Action] {
        guard let checkpointing, let content = checkpointing.copying else { return [] }
        guard checkpointing.isClaimed else {
            claims = true
            return [.checkpoint(.claim(checkpointing.changeAtRest))]
        }
        if case .delta = content { return [.checkpoint(.beginCopy(content, keepingAfter: nil))] }
        return [.checkpoint(.beginCopy(.base, keepingAfter: epoch))]
    }

    /// False when the changes that a delta needs are not kept.
    package mutating func copyBegan(_ hasBegun: Bool) -> [Action] {
        guard !hasBegun else { return [] }
        checkpointing?.changesAreGone()
        return beginCopy()
    }

    /// A step of the copy was made; false while there is more to copy.
    package mutating func copied(_ isWhole: Bool) -> [Action] {
        guard isWhole, let content = checkpointing?.copying, let reason = checkpointing?.copied() else { return [] }
        return [.checkpoint(.publish(content, reason))]
    }

    /// What was to be done could not be. A disk that is full, or changes that came too fast, cost a checkpoint, not the run; and what
    /// could not be noted, the next start does again.
    package mutating func failed(_ action: CheckpointAction, _ error: any Error, now: Duration) throws -> [Action] {
        if case .claim = action {
            // A manifest that is damaged, or was on its way here, says nothing of whose the job is.
            claims = false
            return try checkpointFailed(error, now: now)
        }
        guard let failure = error as? any Failure, failure.kind == .retry else { throw error }
        switch action {
        case .endRollback, .endSupersession: return [.tell(.notNoted(action, failure))]
        case .claim, .keepChanges, .beginCopy, .stepCopy, .publish, .rollBackAgain: break
        }
        return try checkpointFailed(failure, now: now)
    }

    /// Throws when the job is another's; anything else that the archive says costs a checkpoint, not the run.
    private mutating func checkpointFailed(_ error: any Error, now: Duration) throws -> [Action] {
        guard let failure = error as? any Failure, checkpointing?.failed(failure.kind, now: now) == true else { throw error }
        return [.tell(.checkpointFailed(failure))]
    }

    // MARK: - What the archive answered

    mutating func hearOfCheckpoints(_ inbox: RunInbox, _ now: Duration) throws -> [Action] {
        var actions: [Action] = []
        if let isDone = inbox.secondRollback {
            rollsBackAgain = false
            isRolledBackAgain = isRolledBackAgain || isDone
        }
        if let result = inbox.claim, let change = checkpointing?.changeAtRest {
            switch result {
            case .success:
                claims = false
                checkpointing?.claimed()
                actions += beginCopy()
            case .failure(let error): actions += try failed(.claim(change), error, now: now)
            }
        }
        if let result = inbox.checkpoint {
            switch result {
            case .success(let published): actions += publishedCheckpoint(published, now)
            case .failure(let error): actions += try checkpointFailed(error, now: now)
            }
        }
        return actions
    }

    private mutating func publishedCheckpoint(_ published: PublishedCheckpoint, _ now: Duration) -> [Action] {
        guard let noted = checkpointing?.published(published, isRolledBackAgain: isRolledBackAgain, now: now) else { return [] }
        var actions: [Action] = [.tell(.checkpointed(published))]
        if let plan = noted.rollsBackAgain, !rollsBackAgain, !isRolledBackAgain {
            rollsBackAgain = true
            actions.append(.checkpoint(.rollBackAgain(plan)))
        }
        if noted.endsRollback { actions.append(.checkpoint(.endRollback)) }
        if noted.endsSupersession { actions.append(.checkpoint(.endSupersession)) }
        actions.append(.checkpoint(.keepChanges(after: noted.keepsChangesAfter)))
        if let covered = checkpointing?.covered { actions += perform(coordinator.covered(through: covered), now) }
        return actions
    }

    // MARK: - The last one

    /// The last checkpoint of a run that delivered everything, within the time that is left; what fails is told, as the state
    /// is on this machine's disk.
    mutating func finish(_ now: Duration) -> [Action] {
        guard let checkpointing else { return end(.complete) }
        let isUnderWay = isCheckpointUnderWay
        if isLastBegun && !isUnderWay { return end(.complete) }
        if let deadline, now >= deadline { return [.tell(.lastCheckpointIsMissing)] + end(.complete) }
        if !claims, checkpointing.copying != nil {
            nextCopyStep = now
            return [.checkpoint(.stepCopy(WorkerLoop.lastCopyStep))]
        }
        let epoch = coordinator.epoch
        guard !isUnderWay, let content = self.checkpointing?.last(epoch: epoch) else { return [] }
        isLastBegun = true
        guard content == .nothing else { return beginCopy() }
        return copied(true)
    }
}
