import CurlHTTP
import Engine
import Logging

/// Delivers one table's batches, one at a time: performs the steps that `BatchDelivery` asks for.
final class TableDelivery {
    let status: TableStatusBox
    private let settings: ClickHouseSettings
    private let dialect: ServerDialect
    private let known: SinkTable
    private let connection: ClickHouseConnection
    private let trouble: TroubleLog
    private let quietWait: QuietWait
    private let rowCount: RowCount

    private var facts: TableFacts
    private var isExactlyOnce: Bool
    /// How rows of the layout at hand go into the table; nil until there are some.
    private var encoding: (layout: TableLayout, encoder: BatchEncoder)?
    /// When the table was last looked at for that layout; nil when it may have changed since.
    private var layoutRead: ContinuousClock.Instant?
    private var backoff: Backoff
    /// What earlier processes had sent to this table is known to be over.
    private var isInheritedQuiet = false
    /// What the table holds fits the state.
    private var isLedgerCompared: Bool
    /// What took rows out of the table, told already.
    private var toldRemovals: Set<String> = []
    /// This process has sent the batch that is being delivered.
    private var hasSentBatch = false

    /// `isCompared`: the table was looked at just now and fits the state; else both are found out before the first delivery.
    init(
        _ known: SinkTable, _ facts: TableFacts, isExactlyOnce: Bool, isCompared: Bool, settings: ClickHouseSettings,
        dialect: ServerDialect,
        clock: ServerClock, log: Logger
    ) throws(SinkError) {
        self.known = known
        isLedgerCompared = isCompared
        self.facts = facts
        self.isExactlyOnce = isExactlyOnce
        self.settings = settings
        self.dialect = dialect
        status = TableStatusBox(table: known.table.name)
        connection = try ClickHouseConnection(settings, clock: clock)
        trouble = TroubleLog(log, table: known.table.name, status: status, interval: settings.logInterval)
        quietWait = QuietWait(connection: connection, trouble: trouble)
        rowCount = RowCount(connection: connection, dialect: dialect)
        backoff = Backoff(settings)
    }

    private var table: OutputTable { known.table }

    func deliver(_ batch: SinkBatch, mayHaveBeenSent: Bool, isCancelled: () -> Bool) throws(SinkError) -> DeliveryOutcome {
        backoff.reset()
        hasSentBatch = false
        var isResolved = false
        // What this call leaves behind undelivered is waited for by the next one.
        defer {
            if hasSentBatch && !isResolved { isInheritedQuiet = false }
            encoding?.encoder.release()
        }
        do {
            guard try compareLedger(isCancelled) else { return .cancelled }
            let outcome = isExactlyOnce ? try resolve(batch, mayHaveBeenSent, isCancelled) : try sendUntilAcknowledged(batch, isCancelled)
            status.update {
                $0.state = .idle
                if outcome == .delivered {
                    $0.batchesDelivered += 1
                    $0.rowsDelivered += UInt64(batch.rowCount)
                    $0.lastBatch = batch.number.number
                }
            }
            if outcome == .delivered {
                isResolved = true
                trouble.recovered()
            }
            return outcome
        } catch {
            trouble.trouble(.stopped, error.message)
            throw error
        }
    }

    /// Promise 4, where the start could not see to it: looks at the table and at what it holds, for as long as the server is away
    /// or the table is not there. False when cancelled before.
    private func compareLedger(_ isCancelled: () -> Bool) throws(SinkError) -> Bool {
        while !isLedgerCompared {
            let mismatch: SinkError?
            do throws(SinkError) {
                let inspection = TableInspection(connection: connection, dialect: dialect)
                guard let found = try inspection.facts(of: table.name, isCancelled: isCancelled) else { throw inspection.missing(table) }
                facts = found
                isExactlyOnce = inspection.doubtOfExactlyOnce(found, table) == nil
                mismatch = isExactlyOnce ? try LedgerCheck(connection: connection).mismatch(known, found, isCancelled: isCancelled) : nil
            } catch {
                guard !isCancelled() else { return false }
                trouble.trouble(
                    error.kind == .missing ? .stopped : .waiting, "what the table holds can't be compared with the state: \(error)")
                guard backoff.wait(unless: isCancelled) else { return false }
                continue
            }
            if let mismatch { throw mismatch }
            isLedgerCompared = true
        }
        return true
    }

    private func resolve(_ batch: SinkBatch, _ mayHaveBeenSent: Bool, _ isCancelled: () -> Bool) throws(SinkError) -> DeliveryOutcome {
        var delivery = BatchDelivery(rowCount: batch.rowCount, mayHaveBeenSent: mayHaveBeenSent)
        while !isCancelled() {
            switch delivery.step {
            case .send:
                guard let result = try send(batch, isCancelled) else { continue }
                delivery.sent(result)
            case .awaitQuiet:
                // What only a person can mend is shown until an attempt ends otherwise.
                status.update { if $0.state != .stopped { $0.state = .unknown } }
                if awaitQuiet(batch, isCancelled) { delivery.becameQuiet() }
            case .count:
                guard let found = try count(batch, isCancelled) else { continue }
                delivery.counted(found)
            case .done(let afterError):
                if afterError { warnOfMaterializedViews(batch) }
                return .delivered
            case .stop(let found):
                guard found < batch.rowCount else { throw stop(batch, found: found) }
                guard let answer = try removal(isCancelled) else { continue }
                guard let cause = answer.cause else { throw stop(batch, found: found) }
                tell(of: cause, batch, found: found)
                return .delivered
            }
        }
        return .cancelled
    }

    /// For tables that can't promise more: what an unknown attempt left is not found out.
    private func sendUntilAcknowledged(_ batch: SinkBatch, _ isCancelled: () -> Bool) throws(SinkError) -> DeliveryOutcome {
        while !isCancelled() {
            if try send(batch, isCancelled) == .acknowledged { return .delivered }
            guard backoff.wait(unless: isCancelled) else { break }
        }
        return .cancelled
    }

    /// One attempt; nil when nothing was sent for certain, after a pause.
    private func send(_ batch: SinkBatch, _ isCancelled: () -> Bool) throws(SinkError) -> BatchDelivery.SendResult? {
        guard let (layout, body) = try encode(batch, isCancelled) else { return nil }
        let parameters = InsertParameters(settings: settings, dialect: dialect).delivery(
            BatchName(settings, batch), stateIdentity: known.stateIdentity)
        status.update {
            $0.state = .sending
            $0.insertsSent += 1
        }
        let answer = connection.insert(layout.insertStatement, parameters: parameters, body: body, isCancelled: isCancelled)
        let subject = "batch \(batch.number) of \(facts.name)"
        switch answer {
        case .success(let body) where body.isEmpty:
            hasSentBatch = true
            return .acknowledged
        case .success(let body):
            return answeredWithError("\(subject): \(ServerRefusal(status: 200, text: String(decoding: body, as: UTF8.self)))")
        case .refused(let refusal) where refusal.code == ServerRefusal.queryIsRunning || refusal.code == nil:
            hasSentBatch = true
            trouble.trouble(refusal.needsSomebody ? .stopped : .unknown, "\(subject), an INSERT of \(body.count) bytes: \(refusal)")
            return .unknown
        case .refused(let refusal):
            return answeredWithError("\(subject): \(refusal)")
        case .broken(let error) where error.kind == .invalidRequest:
            throw SinkError(.invalid, "\(subject) can't be sent: \(error)", cause: error)
        case .broken(let error) where error.kind == .nothingSent:
            trouble.trouble(.waiting, "\(subject) can't be sent: \(error)")
            _ = backoff.wait(unless: isCancelled)
            return nil
        case .broken(let error):
            hasSentBatch = true
            trouble.trouble(.unknown, "\(subject) got no answer: \(error)")
            return .unknown
        }
    }

    private func answeredWithError(_ text: String) -> BatchDelivery.SendResult {
        hasSentBatch = true
        layoutRead = nil
        trouble.trouble(.unknown, text)
        return .answeredWithError
    }

    private var isLayoutFresh: Bool { layoutRead.map { .now - $0 < settings.tableCheckInterval } ?? false }

    /// How the batch's rows go into the table; looks at that again now and then, and when an error may have come from a change
    /// of it. nil when cancelled before.
    private func layout(of batch: SinkBatch, _ isCancelled: () -> Bool) throws(SinkError) -> (layout: TableLayout, encoder: BatchEncoder)? {
        if let encoding, encoding.layout.table == batch.layout, isLayoutFresh { return encoding }
        while true {
            do {
                let inspection = TableInspection(connection: connection, dialect: dialect)
                let found = try inspection.layout(of: batch.layout, known: known.knownLayouts + [table], isCancelled: isCancelled)
                let current = encoding?.layout == found ? encoding! : (layout: found, encoder: BatchEncoder(found, task: settings.task))
                encoding = current
                facts = found.facts
                isExactlyOnce = found.isExactlyOnce
                layoutRead = .now
                return current
            } catch {
                let text =
                    batch.layout == table
                    ? error.description : "batch \(batch.number), whose rows another version of the job wrote: \(error.description)"
                switch error.kind {
                case .incompatible, .bug, .corrupt, .fenced, .locked: throw error
                case .retry:
                    trouble.trouble(.waiting, text)
                    guard backoff.wait(unless: isCancelled) else { return nil }
                case .invalid, .missing, .denied:
                    trouble.trouble(.stopped, text)
                    guard Pause.wait(settings.recheckInterval, unless: isCancelled) else { return nil }
                }
            }
        }
    }

    /// The batch's block for the table as it is. While a value does not fit, waits for the ALTER; nil when cancelled before.
    private func encode(_ batch: SinkBatch, _ isCancelled: () -> Bool) throws(SinkError) -> (TableLayout, UnsafeRawBufferPointer)? {
        while let (layout, encoder) = try layout(of: batch, isCancelled) {
            do {
                return (layout, try encoder.encode(batch))
            } catch {
                guard case .valueDoesNotFit(let column, let value) = error else { throw refusal(error, batch, layout) }
                trouble.trouble(.stopped, tooWide(batch, column, value, layout))
                guard Pause.wait(settings.recheckInterval, unless: isCancelled) else { return nil }
                layoutRead = nil
            }
        }
        return nil
    }

    /// What no change of a column's type mends.
    private func refusal(_ failure: EncodingFailure, _ batch: SinkBatch, _ layout: TableLayout) -> SinkError {
        switch failure {
        case .valueDoesNotFit(let column, let value):
            SinkError(.invalid, tooWide(batch, column, value, layout))
        case .partitionsDiffer(let row, let first, let other):
            SinkError(
                .incompatible,
                "batch \(batch.number) of \(layout.name) lies in more than one partition of the table (row 0 in \(first), row \(row) in \(other)), so that one INSERT could land by half: the table's partition key is now \(layout.partitionKey.isEmpty ? "none" : layout.partitionKey), and the batch was made for another one. Bring back a table with the key that was there when this worker's state made the batch; once its batches are delivered the key can change while the worker is stopped"
            )
        case .damaged(let row):
            SinkError(
                .corrupt,
                "batch \(batch.number) of \(layout.name), row \(row): the stored bytes are not what the layout beside them says. The state directory is damaged: keep it for examination, and go on with a copy of it from before that is not older than what was delivered, or start anew with an empty state directory, another checkpoints.store and new tables"
            )
        }
    }

    private func tooWide(_ batch: SinkBatch, _ column: String, _ value: String, _ layout: TableLayout) -> String {
        let type = layout.columns.first { $0.name == column }?.type ?? ""
        let statements = CreateStatements(database: settings.database, dialect: dialect)
        let wanted = (layout.table.columns + Provenance.columns).first { $0.name == column }.map(statements.widestDefinition) ?? type
        return
            "batch \(batch.number) of \(layout.name): the value \(value) does not fit into the column \(column) \(type). Nothing is lost, delivery to this table waits; run: ALTER TABLE \(layout.quotedName) MODIFY COLUMN \(SQLText.identifier(column)) \(wanted)"
    }

    private func awaitQuiet(_ batch: SinkBatch, _ isCancelled: () -> Bool) -> Bool {
        let name = BatchName(settings, batch)
        if hasSentBatch {
            return quietWait.wait(for: "query_id = \(SQLText.string(name.queryID))", isCancelled: isCancelled)
        }
        // Sent by an earlier process, as the batches after it may be: one wait is enough for all of them.
        if !isInheritedQuiet {
            isInheritedQuiet = quietWait.wait(for: "position(query_id, \(SQLText.string(name.tablePrefix))) = 1", isCancelled: isCancelled)
        }
        return isInheritedQuiet
    }

    /// nil when the server can't be asked now, after a pause.
    private func count(_ batch: SinkBatch, _ isCancelled: () -> Bool) throws(SinkError) -> Int? {
        do {
            return try rowCount.count(batch, in: facts, isCancelled: isCancelled)
        } catch {
            guard !isCancelled() else { return nil }
            trouble.trouble(.waiting, "batch \(batch.number) of \(facts.name) can't be counted: \(error)")
            _ = backoff.wait(unless: isCancelled)
            return nil
        }
    }

    /// What takes rows out of the table by itself; nil when the server can't be asked now, after a pause.
    private func removal(_ isCancelled: () -> Bool) throws(SinkError) -> (cause: String?, Void)? {
        do {
            return (try RowRemoval(connection: connection).cause(in: facts, isCancelled: isCancelled), ())
        } catch {
            guard !isCancelled() else { return nil }
            guard error.kind == .retry else { return (nil, ()) }
            trouble.trouble(.waiting, "what may have removed rows of \(facts.name) can't be found out: \(error)")
            _ = backoff.wait(unless: isCancelled)
            return nil
        }
    }

    /// Once a cause: the counter goes on.
    private func tell(of cause: String, _ batch: SinkBatch, found: Int) {
        status.update { $0.batchesUncounted += 1 }
        guard toldRemovals.insert(cause).inserted else { return }
        trouble.warning(
            "batch \(batch.number) of \(facts.name), lineage \(batch.lineage): \(found) of its \(batch.rowCount) rows can be counted after an unclear answer, and it is taken as delivered, because \(cause) takes rows out of the table. Others like it are counted in tidemark_batches_uncounted_total, and not told; to have batches counted, leave rows in the table for longer than what the job reads is old"
        )
    }

    private func warnOfMaterializedViews(_ batch: SinkBatch) {
        trouble.warning(
            "batch \(batch.number) of \(facts.name) is in the table with all its \(batch.rowCount) rows although the server answered its INSERT with an error: a materialized view on the table may lack them"
        )
    }

    private func stop(_ batch: SinkBatch, found: Int) -> SinkError {
        SinkError(
            .invalid,
            "batch \(batch.number) of the table \(facts.name), lineage \(batch.lineage): \(found) of its \(batch.rowCount) rows are in ClickHouse, so sending it again could double some and going on could lose some. Were rows deleted or copied by hand, or by a TTL? Stop the worker, then run `tidemark resolve --batch \(batch.table):\(batch.number) --as resend-missing` to send exactly the missing rows, or `--as delivered` to leave the table as it is"
        )
    }
}
