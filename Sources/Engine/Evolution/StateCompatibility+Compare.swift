extension StateCompatibility {
    /// Compares what a store holds with what a job declares. `dropping`: tables to drop, as `name` or `stage/name`; this
    /// is final, so no earlier version may go on afterwards.
    package static func compare(stored: StoredStateVersions, declared: DeclaredStateTables, dropping: [String] = []) -> StateCompatibility {
        let version = declared.jobVersion
        guard version >= stored.leastReader else {
            return StateCompatibility(
                refusal:
                    "the state may be read from version \(stored.leastReader) of the job on, this is version \(version): a newer version went on from it and was finalized, or two newer ones did. Start version \(stored.jobVersion), or go on from a copy made before",
                tables: [], leastReader: stored.leastReader, isFinalizePending: false
            )
        }
        let comparison = StateComparison(stored: stored, version: version, dropping: dropping)
        var tables = declared.tables.map { comparison.judge($0.declaration, in: $0.stage) }
        var seen = Set(declared.tables.map { TableName(stage: $0.stage, name: $0.declaration.schema.table) })
        for table in stored.tables {
            let name = TableName(stage: table.stage, name: table.schema.table)
            if seen.insert(name).inserted { tables.append(comparison.judgeUndeclared(name)) }
        }
        tables += comparison.unknownDrops
        let least =
            !dropping.isEmpty ? version : version > stored.jobVersion ? max(stored.leastReader, stored.jobVersion) : stored.leastReader
        return StateCompatibility(
            refusal: nil, tables: tables.sorted { ($0.stage, $0.name) < ($1.stage, $1.name) }, leastReader: least,
            isFinalizePending: least < version
        )
    }
}

private struct TableName: Hashable {
    let stage: StageName
    let name: String
}

/// One comparison under way.
private struct StateComparison {
    let stored: StoredStateVersions
    let version: Int
    let dropping: [String]

    private var isOlder: Bool { version < stored.jobVersion }

    private func rows(_ name: TableName) -> [StoredStateTable] {
        stored.tables.filter { $0.stage == name.stage && $0.schema.table == name.name }
    }

    private func isDropped(_ name: TableName) -> Bool { dropping.contains(name.name) || dropping.contains("\(name.stage)/\(name.name)") }

    /// Names to drop that no stored table has.
    var unknownDrops: [StateCompatibility.Table] {
        dropping.compactMap { drop in
            let isKnown = stored.tables.contains { drop == $0.schema.table || drop == "\($0.stage)/\($0.schema.table)" }
            return isKnown ? nil : .init(stage: "", name: drop, action: .refuse, detail: "--drop names it, but the state has no such table")
        }
    }

    func judge(_ declaration: StateDeclaration, in stage: StageName) -> StateCompatibility.Table {
        let schema = declaration.schema
        let name = TableName(stage: stage, name: schema.table)
        func found(_ action: StateCompatibility.Action, _ detail: String) -> StateCompatibility.Table {
            .init(stage: stage, name: schema.table, action: action, detail: detail)
        }
        let rows = rows(name)
        guard let current = rows.first(where: { $0.role != .fallback }) else {
            return found(.startEmpty, "it is new in version \(version) of the job")
        }
        do {
            try StateMigration.refuseOtherShape(current.schema, schema)
        } catch {
            return found(.refuse, error.description)
        }
        let exact = rows.first { $0.schema.version == schema.version }
        if let exact, exact.schema.fields != schema.fields {
            return found(
                .refuse,
                "it is stored in version \(schema.version) with other fields (\(exact.schema.fields.listed)) than this job's version \(schema.version) (\(schema.fields.listed)): raise the table's version and declare what changed"
            )
        }
        if current.role == .removed { return judgeRemoved(current, exact, declaration, name) }
        if isDropped(name) { return found(.refuse, "--drop names it, but this version of the job has it") }
        if let exact {
            guard exact.role == .fallback else {
                return found(
                    .keep,
                    rows.count > 1 ? "version \(schema.version), also written as an earlier version reads it" : "version \(schema.version)")
            }
            if isOlder {
                return found(
                    .goBack,
                    "version \(schema.version), as version \(stored.jobVersion) of the job kept it; the newer copy, version \(current.schema.version), is discarded"
                )
            }
        }
        guard schema.version > current.schema.version else {
            return found(
                .refuse,
                "it is stored in version \(current.schema.version), this job's is version \(schema.version), which is older: start the version of the job that wrote it"
            )
        }
        guard version > stored.jobVersion else {
            return found(
                .refuse,
                "its version was raised from \(current.schema.version) to \(schema.version), but the job's own is not above \(stored.jobVersion), which wrote the state: raise the job's version"
            )
        }
        do {
            _ = try StateMigration(from: current.schema, to: declaration)
            return found(.migrate, "from version \(current.schema.version) to \(schema.version)")
        } catch {
            return found(.refuse, error.description)
        }
    }

    private func judgeRemoved(_ row: StoredStateTable, _ exact: StoredStateTable?, _ declaration: StateDeclaration, _ name: TableName)
        -> StateCompatibility.Table
    {
        func found(_ action: StateCompatibility.Action, _ detail: String) -> StateCompatibility.Table {
            .init(stage: name.stage, name: name.name, action: action, detail: detail)
        }
        let removedIn = row.removedIn ?? stored.jobVersion
        if version < removedIn, exact?.role == .removed {
            return found(.goBack, "as it was when version \(removedIn) of the job, which does not have it, took over")
        }
        guard isDropped(name) else {
            return found(
                .refuse,
                "version \(removedIn) of the job removed it, and what it held then is still there: --drop \(name.name) lets it start empty")
        }
        return found(.startEmpty, "what an earlier table of this name held is dropped")
    }

    func judgeUndeclared(_ name: TableName) -> StateCompatibility.Table {
        func found(_ action: StateCompatibility.Action, _ detail: String) -> StateCompatibility.Table {
            .init(stage: name.stage, name: name.name, action: action, detail: detail)
        }
        let rows = rows(name)
        if rows.allSatisfy({ $0.since > version }) {
            return found(.discard, "version \(stored.jobVersion) of the job began it, version \(version) does not have it")
        }
        if isDropped(name) { return found(.drop, "--drop names it") }
        let isRemoved = rows.allSatisfy { $0.role == .removed }
        guard isRemoved || version > stored.jobVersion else {
            return found(
                .refuse,
                "version \(version) of the job does not have it, but that is not above \(stored.jobVersion), which wrote the state with it: raise the job's version, or start the one that has it"
            )
        }
        return found(
            .ignore,
            isRemoved ? "it was removed; kept until --drop" : "this version of the job does not have it; kept as it is until --drop")
    }
}

extension [StateField] {
    /// The fields as messages name them.
    fileprivate var listed: String { map { "\($0.name): \($0.type.rawValue)" }.joined(separator: ", ") }
}
