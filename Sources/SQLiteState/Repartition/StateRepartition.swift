import Engine

/// Brings a state to a topic that got more partitions: the records of its stages go where their keys went, the new partitions
/// are to be read from their beginning, and no window opens again that was closed for a key.
package struct StateRepartition {
    package struct Order {
        /// nil: the only one that the state's job reads.
        package var topic: String?
        /// How many partitions it has now.
        package var partitions: Int
        package var places: KeyPlaces
        /// What is to become of state tables, as `stage.table`, against what the job declares.
        package var placements: [String: StatePlacement]
        /// Somebody's word that the state has everything that was in the topic when it grew, and that nothing of the keys that
        /// moved is unread in the partitions of before; without it the state has to say so.
        package var isDrained: Bool
        /// How many numbered records a task can hold of a table.
        var numberedRecords = StatePlacement.numberedRecords

        package init(
            topic: String?, partitions: Int, places: KeyPlaces, placements: [String: StatePlacement] = [:], isDrained: Bool = false
        ) {
            self.topic = topic
            self.partitions = partitions
            self.places = places
            self.placements = placements
            self.isDrained = isDrained
        }
    }

    private let database: Database
    private let order: Order
    private let topic: String
    private let growth: PartitionGrowth
    private var stages: [GrowingStage]

    /// Does it in a state file that nobody has open, which is worthless when this throws: do it in a copy. The file is not
    /// made durable.
    ///
    /// Throws kind `invalid` for an order that does not fit the state, above all when a table's keys are not where `places` puts
    /// them among the partitions that there were; `missing` for names that the state does not have.
    package static func perform(_ order: Order, in stateFile: String) throws -> RepartitionReport {
        let database = try Database(path: stateFile, for: .export)
        database.boundContent()
        try StateFormat.requireShape(of: database)
        try database.execute("PRAGMA cache_size = -65536")
        var repartition = try StateRepartition(database, order)
        try GroupCompaction.compactEverything(in: database)
        let before = try repartition.verifiedCounts()
        try repartition.refuseTooMany(before)
        // Records that are copied to every partition take more than the file has; all of them were read by now.
        database.trustContent()
        // A file without a log can't undo anything, so that on an error this is left as it is and goes with the file.
        try database.execute("BEGIN IMMEDIATE")
        let watermarks = try repartition.addTasks()
        let tables = try repartition.moveRecords(before)
        try repartition.finish()
        try database.execute("COMMIT")
        return try repartition.report(tables, before, watermarks)
    }

    private init(_ database: Database, _ order: Order) throws {
        self.database = database
        self.order = order
        let topics = try PlacementEntries(database: database).topics()
        guard !topics.isEmpty else {
            throw StateError(
                .invalid,
                "the state does not say which stage reads which topic, as an earlier version of Tidemark wrote it: start the job on it once with this version (`tidemark run --before-repartition` does), and use the checkpoint that this leaves, or, where it ends with an error and leaves none, the state directory as REF"
            )
        }
        topic = try StateRepartition.topic(order.topic, of: Set(topics.values).sorted())
        guard let present = try PartitionTable(database: database).all()[topic] else {
            throw StateError(
                .invalid,
                "the job has never read topic \(topic), so there is nothing to bring to \(order.partitions) partitions: just start it")
        }
        guard order.partitions > present else {
            throw StateError(
                .invalid,
                "the state is one of \(present) partitions of topic \(topic), and --partitions \(order.partitions) are not more: topics only grow"
            )
        }
        if !order.isDrained { try StateRepartition.requireRead(topic, order.partitions, database) }
        growth = PartitionGrowth(from: present, to: order.partitions, isByHash: order.places.tellsWhereKeysWere)
        stages = try topics.filter { [topic] in $0.value == topic }.keys.sorted().map { try GrowingStage($0, database) }
        let known = Set(stages.flatMap(\.tables).map(\.name))
        for name in order.placements.keys.sorted() where !known.contains(name) {
            throw StateError(
                .missing,
                "no stage that reads topic \(topic) has a state table \(name); there are \(known.sorted().joined(separator: ", "))")
        }
        for index in stages.indices { stages[index].place(order.placements) }
    }

    private static func topic(_ named: String?, of topics: [String]) throws -> String {
        guard let named else {
            guard topics.count == 1 else {
                throw StateError(
                    .invalid, "the state's job reads several topics; say which one grew with --topic: " + topics.joined(separator: ", "))
            }
            return topics[0]
        }
        guard topics.contains(named) else {
            throw StateError(.missing, "the state's job does not read topic \(named); it reads " + topics.joined(separator: ", "))
        }
        return named
    }

    /// A key that moves with its state must leave no record behind.
    private static func requireRead(_ topic: String, _ partitions: Int, _ database: Database) throws {
        let known = try ReadBeforeEntries(database: database).partitions(of: topic)
        guard known != partitions else { return }
        let problem =
            known.map { "\(topic) was read to its end when it had \($0) partitions, not \(partitions)" }
            ?? "nothing says that \(topic) was read to its end after it had grown"
        throw StateError(
            .invalid,
            "\(problem): records of keys that move may be unread where those were. With all producers knowing the \(partitions) partitions, run `tidemark run --before-repartition`, let it end by itself, and use the checkpoint that it leaves. Say --drained instead when producers paused and the job had read everything before the topic grew. Nothing was written"
        )
    }

    // MARK: - Looking

    /// How many records each task has of each table. Throws when a table's keys are not where they should be.
    private func verifiedCounts() throws -> [Int64: [Int64: Int]] {
        var counts: [Int64: [Int64: Int]] = [:]
        var misplaced: [String] = []
        for stage in stages {
            for table in stage.tables {
                var check = PlaceCheck(table, growth, order.places)
                for (partition, task) in stage.tasks.sorted(by: { $0.key < $1.key }) {
                    counts[table.id, default: [:]][task.id] = try check.look(at: task.id, of: partition, database)
                }
                if let finding = check.finding { misplaced.append(finding) }
            }
        }
        guard misplaced.isEmpty else {
            throw StateError(.invalid, misplaced.joined(separator: "; ") + ". \(PlaceCheck.waysOut(order.places)). Nothing was written")
        }
        return counts
    }

    /// A job that can't hold what comes together would find out when it starts.
    private func refuseTooMany(_ counts: [Int64: [Int64: Int]]) throws {
        for stage in stages {
            for table in stage.tables where table.placement == .copiedByNumber {
                for family in 0..<growth.families {
                    let sources = growth.sources(of: family)
                    let together = sources.reduce(0) { $0 + (stage.tasks[$1].flatMap { counts[table.id]?[$0.id] } ?? 0) }
                    guard sources.count > 1, together > order.numberedRecords else { continue }
                    throw StateError(
                        .invalid,
                        "\(table.name): partitions \(sources.map(String.init).joined(separator: ", ")) have \(together) records that come together, and a task holds no more than \(order.numberedRecords). Choose a number of partitions that is a multiple of \(growth.before), with which each new partition gets those of one old one alone; or have the job remember for a shorter time and run it once. Nothing was written"
                    )
                }
            }
        }
    }

    // MARK: - Changing

    /// Gives every partition its task. Returns how far each is before anything is read.
    private mutating func addTasks() throws -> [TaskID: EventTime] {
        var reached: [TaskID: EventTime] = [:]
        for index in stages.indices {
            let before = stages[index]
            for partition in 0..<growth.after {
                let id = TaskID(stage: before.name, partition: partition)
                let sources = growth.sources(of: partition).map { before.tasks[$0] }
                reached[id] = try setWatermark(of: id, to: sources, stage: &stages[index])
            }
        }
        return reached
    }

    /// A task may get keys of each of `sources`, and what is open in them: it begins where the least of them was, and rises to
    /// the greatest before it reads, so that it closes what they left and reopens nothing.
    private func setWatermark(of id: TaskID, to sources: [GrowingStage.Task?], stage: inout GrowingStage) throws -> EventTime {
        func watermark(_ task: GrowingStage.Task?) -> EventTime { task?.watermark ?? .distantPast }
        let reached = sources.map { $0?.reached ?? WatermarkRaise(to: .distantPast, isEnded: false) }.max { $0.watermark < $1.watermark }
        guard let least = sources.min(by: { watermark($0) < watermark($1) }), let reached else {
            throw StateError(.bug, "nothing comes to \(id)")
        }
        let tasks = TaskTable(database)
        // An old partition that was never read begins where its reader says, as it would have.
        let number = try stage.tasks[id.partition]?.id ?? tasks.add(id, next: id.partition < growth.before ? nil : 0)
        try tasks.set(watermark: least?.watermark, isEnded: least?.isEnded ?? false, of: number)
        if stage.tasks[id.partition] == nil {
            stage.add(
                GrowingStage.Task(id: number, watermark: least?.watermark, isEnded: least?.isEnded ?? false, raise: nil), at: id.partition)
        }
        let entries = PlacementEntries(database: database)
        if reached.watermark > watermark(least) { try entries.set(reached, of: id) } else { try entries.removeRaise(of: id) }
        return reached.watermark
    }

    private func moveRecords(_ counts: [Int64: [Int64: Int]]) throws -> [RepartitionReport.Table] {
        let moves = try RecordMoves(database, growth, order.places)
        return try stages.flatMap { stage in
            try stage.tables.map { table in
                RepartitionReport.Table(
                    name: table.name, version: table.schema.version, placement: table.placement,
                    keys: counts[table.id]?.values.reduce(0, +) ?? 0,
                    changed: try moves.perform(table, stage.tasks)
                )
            }
        }
    }

    private func finish() throws {
        try ReadBeforeEntries(database: database).remove(topic)
        try PartitionTable(database: database).set(topic, growth.after)
        // None of this is in an epoch's delta, and a checkpoint of the present epoch was taken before it: no delta can continue
        // that one, the next checkpoint has to be a base.
        try MetaTable(database).set(Compactor.keptAfter, String(try CheckpointFacts(of: database).epoch.number + 1))
        try MetaTable(database).set(VersionsAtRest.supersedingEntry, "1")
    }

    private func report(_ tables: [RepartitionReport.Table], _ before: [Int64: [Int64: Int]], _ watermarks: [TaskID: EventTime]) throws
        -> RepartitionReport
    {
        let after = try KeyedRows(database).countsByTask()
        let partitions = stages.flatMap { stage in
            stage.tasks.sorted { $0.key < $1.key }.map { partition, task in
                let watermark = watermarks[TaskID(stage: stage.name, partition: partition)] ?? .distantPast
                return RepartitionReport.Partition(
                    task: TaskID(stage: stage.name, partition: partition), keysBefore: before.values.reduce(0) { $0 + ($1[task.id] ?? 0) },
                    keysAfter: after[task.id] ?? 0, watermark: watermark == .distantPast ? nil : watermark
                )
            }
        }
        return RepartitionReport(topic: topic, before: growth.before, after: growth.after, tables: tables, partitions: partitions)
    }
}
