import Engine

/// The six epochs of the shop.
enum ShopEpochs {
    static let cuts = [first, second, third, fourth, fifth, sixth]

    private static func minute(_ minutes: Int64) -> EventTime { ShopHistory.minute(minutes) }

    private static func basket(_ orders: (item: String, cents: Int64, minute: Int64, country: String)..., note: String = "") -> Basket {
        var basket = Basket()
        for order in orders { basket.order(order.item, order.cents, at: minute(order.minute), from: order.country) }
        note.bytes { basket.note.set($0) }
        return basket
    }

    private static func hour(_ count: UInt64, _ total: Int128) -> Hour {
        var hour = Hour()
        (hour.count, hour.total) = (count, total)
        return hour
    }

    private static func changes(_ schema: StateSchema, _ make: (inout TableChanges) -> Void) -> StateDelta {
        var changes = TableChanges(schema)
        make(&changes)
        return changes.delta
    }

    private static func orders(
        _ partition: Int, watermark: Int64, next: Int64?, deltas: [StateDelta] = [], rows: [OutboxChunk] = [], sent: [MessageBatch] = []
    ) -> TaskCut {
        let position = next.map {
            SourcePosition(
                next: $0, last: RecordFingerprint(offset: $0 - 1, timestamp: minute(watermark).milliseconds + 5_000, checksum: 77))
        }
        return TaskCut(
            task: TaskID(stage: ShopJob.orders, partition: partition), watermark: minute(watermark), position: position, deltas: deltas,
            rows: rows,
            sent: sent, received: []
        )
    }

    private static func totals(watermark: Int64, deltas: [StateDelta], received: [MessageBatchID]) -> TaskCut {
        TaskCut(
            task: TaskID(stage: ShopJob.totals, partition: 0), watermark: minute(watermark), position: nil, deltas: deltas, rows: [],
            sent: [], received: received)
    }

    private static func chunk(_ partition: Int, epoch: UInt64, rows: Int) -> OutboxChunk {
        let id = ChunkID(table: "order_totals", task: TaskID(stage: ShopJob.orders, partition: partition), epoch: Epoch(epoch), sequence: 0)
        return OutboxChunk(
            id: id, layout: ShopJob.table("order_totals"), partition: 202609, rowCount: rows,
            bytes: [UInt8](repeating: UInt8(epoch), count: rows * 8))
    }

    private static func batch(_ number: UInt64, _ chunks: [OutboxChunk]) -> SinkBatch {
        SinkBatch(
            table: "order_totals", lineage: .first, number: BatchNumber(number), layout: ShopJob.table("order_totals"), partition: 202609,
            chunks: chunks)
    }

    private static func cut(_ epoch: UInt64, _ tasks: [TaskCut], frozen: [SinkBatch] = [], delivered: [SinkBatch] = []) -> EpochCut {
        EpochCut(
            epoch: Epoch(epoch), tasks: tasks, frozen: frozen, delivered: delivered.map(\.id),
            wallClock: minute(Int64(epoch) * 12).milliseconds)
    }

    private static let message = MessageBatch(
        id: MessageBatchID(
            from: TaskID(stage: ShopJob.orders, partition: 0), to: TaskID(stage: ShopJob.totals, partition: 0), epoch: Epoch(4)), count: 1,
        bytes: [1, 0x61, 1, 0x62]
    )
    private static let batchOne = batch(1, [chunk(0, epoch: 2, rows: 3), chunk(1, epoch: 2, rows: 2)])
    private static let batchTwo = batch(2, [chunk(0, epoch: 4, rows: 4)])

    private static let first = cut(
        1,
        [
            orders(
                0, watermark: 5, next: 10,
                deltas: [
                    changes(ShopJob.baskets) {
                        $0.store("anna", timer: minute(60), basket(("tea", 450, 1, "DE"), ("cup", 1_200, 3, "FR")))
                        $0.store("bob", basket(("tea", 450, 2, "GB"), note: "says \"thanks\", always"))
                    },
                    changes(ShopJob.hourly) {
                        $0.store("anna", window: minute(0), hour(2, 1_650))
                        $0.store("bob", window: minute(0), hour(1, 450))
                    },
                ]),
            orders(
                1, watermark: 4, next: 7,
                deltas: [
                    changes(ShopJob.baskets) { $0.store("carla", timer: minute(90), basket(("pot", 9_900, 4, "DE"))) },
                    changes(ShopJob.hourly) { $0.store("carla", window: minute(0), hour(1, 9_900)) },
                ]),
        ])
    private static let second = cut(
        2,
        [
            orders(0, watermark: 15, next: 14, rows: batchOne.chunks.filter { $0.id.task.partition == 0 }),
            orders(
                1, watermark: 12, next: 9, deltas: [changes(ShopJob.baskets) { $0.store([0, 255], basket(("odd", 1, 5, "DE"))) }],
                rows: batchOne.chunks.filter { $0.id.task.partition == 1 }),
        ], frozen: [batchOne])
    private static let third = cut(3, [orders(0, watermark: 16, next: 15)], delivered: [batchOne])
    private static let fourth = cut(
        4,
        [
            orders(
                0, watermark: 65, next: 22,
                deltas: [
                    changes(ShopJob.hourly) {
                        $0.close(minute(0))
                        $0.store("anna", window: minute(60), hour(1, 450))
                    },
                    changes(ShopJob.baskets) {
                        $0.remove("bob")
                        $0.store("anna", timer: minute(120), basket(("tea", 450, 1, "DE"), ("cup", 1_200, 3, "FR"), ("tea", 450, 61, "DE")))
                    },
                ], rows: batchTwo.chunks, sent: [message])
        ], frozen: [batchTwo])
    private static let fifth = cut(
        5,
        [
            totals(
                watermark: 16, deltas: [changes(ShopJob.days) { $0.store("all", window: minute(-720), hour(4, 12_001)) }],
                received: [message.id]),
            orders(
                1, watermark: 66, next: 12,
                deltas: [
                    changes(ShopJob.hourly) {
                        $0.close(minute(0))
                        $0.store("carla", window: minute(60), hour(2, 30))
                    }
                ]),
        ], delivered: [batchTwo])
    private static let sixth = cut(
        6,
        [
            orders(
                0, watermark: 70, next: 23, deltas: [changes(ShopJob.baskets) { $0.store("dora", basket(("tea", 450, 69, "DE"))) }],
                rows: [chunk(0, epoch: 6, rows: 1)])
        ])
    /// One more than the history has.
    static let seventh = cut(
        7,
        [
            orders(0, watermark: 80, next: 24, deltas: [changes(ShopJob.baskets) { $0.store("emil", basket(("tea", 450, 79, "DE"))) }])
        ])
}
