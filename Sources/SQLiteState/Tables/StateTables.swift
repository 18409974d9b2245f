/// The tables that an epoch's transaction and cold reads go to, their statements kept.
struct StateTables {
    let meta: MetaTable
    let tasks: TaskTable
    let keyed: KeyedRows
    let deltas: DeltaLog
    let messages: MessageRows
    let outbox: OutboxRows
    let batches: BatchLedger
    let offsets: EpochOffsets

    init(_ database: Database) {
        meta = MetaTable(database)
        tasks = TaskTable(database)
        keyed = KeyedRows(database)
        deltas = DeltaLog(database)
        messages = MessageRows(database)
        outbox = OutboxRows(database)
        batches = BatchLedger(database)
        offsets = EpochOffsets(database)
    }
}
