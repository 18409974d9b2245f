import Engine

extension SQLiteStateStore {
    /// Epochs between two looks at what of the ledgers is too old.
    private static let epochsBetweenPrunes = 512

    package func maintain(for time: Duration) throws -> Housekeeping {
        let start = ContinuousClock.now
        return try exclusively {
            let opened = try ready()
            try opened.compactor.step(isCopying: base != nil) { ContinuousClock.now - start >= time }
            try opened.compactor.dropKept(for: deltaExport)
            if opened.commitsSincePrune >= SQLiteStateStore.epochsBetweenPrunes {
                opened.commitsSincePrune = 0
                try pruneLedgers()
            }
            if database.logPages >= settings.logPages { try database.checkpointLog() }
            return Housekeeping(compactedThrough: opened.compactor.through, left: opened.compactor.left(isCopying: base != nil))
        }
    }

    /// Drops delivered batches and epochs' offsets older than the ledger is kept, a bounded number at a time.
    func pruneLedgers() throws {
        let tables = try ready().tables
        guard let newest = try tables.offsets.lastCommittedAt() else { return }
        let cutoff = newest - settings.ledgerKeepMilliseconds
        try database.transaction {
            try tables.offsets.prune(before: cutoff)
            for (_, table) in try ready().catalog.outputs { try tables.batches.prune(ofTable: table, before: cutoff) }
        }
    }

    /// From now on the changes of epochs after `epoch` are kept, compacted or not, so that `beginDelta` can copy them; those of
    /// earlier ones are dropped, a bounded number at a time. nil: none is kept beyond compaction, which is how a store begins.
    ///
    /// Called after `open`, and then whenever a checkpoint was taken. Changes that outgrow `Settings.keepBytes` are not
    /// kept any longer, until this is called again.
    package func keepChanges(after epoch: Epoch?) throws {
        try exclusively { try ready().compactor.wanted = epoch }
    }

    /// True when the changes of all epochs after `epoch` are kept, so that a delta can continue a checkpoint of it.
    package func keepsChanges(after epoch: Epoch) throws -> Bool {
        try exclusively { try ready().compactor.hasChanges(after: epoch) }
    }
}
