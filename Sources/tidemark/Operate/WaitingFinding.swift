import Engine
import SQLiteState

/// What a start of a version of the job would do with something that waits in a state, where that is not plain.
///
/// The state may be a running worker's, which a drain leaves without any of it: so what can't be read says that a drain has to
/// come first, and is no refusal.
struct WaitingFinding {
    enum Action: String {
        /// It is delivered as what it is.
        case deliver
        /// The version that wrote it has to drain first.
        case drainFirst = "drain first"
    }

    /// An output table's as the state stores it, or of messages the stage's; empty for all.
    let name: String
    let action: Action
    let detail: String

    private static let drain = "stop the version that wrote them with SIGTERM, and start this one when it ended with 0"

    /// In order of tables, then stages.
    static func all(of reader: StateReader, _ topology: Topology) throws -> [WaitingFinding] {
        let rows = try reader.waitingRows()
        if reader.facts.format < 3, reader.facts.jobVersion != topology.version, !rows.isEmpty {
            return [
                WaitingFinding(
                    name: "", action: .drainFirst,
                    detail:
                        "rows wait in a state of format \(reader.facts.format), which does not say how they are laid out: \(drain); that one has to be built with this version of Tidemark"
                )
            ]
        }
        let known = Set(topology.outboxTables.map(\.name))
        let others = rows.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }.map {
            WaitingFinding.rows(of: $0.key, $0.value.rows, topology)
        }
        return try others + reader.waitingMessageLayouts().compactMap { messages(laidOut: $0, topology) }
    }

    private static func rows(of name: String, _ count: Int, _ topology: Topology) -> WaitingFinding {
        if let sink = OutboxTable.sink(ofName: name), !topology.additionalSinks.contains(sink) {
            return WaitingFinding(
                name: name, action: .drainFirst, detail: "\(count) rows wait for the output \(sink), which is switched off: \(drain)")
        }
        return WaitingFinding(
            name: name, action: .deliver,
            detail: "\(count) rows wait for it, and this version does not have it: they are delivered as they are")
    }

    /// nil when they are read as they should be.
    private static func messages(laidOut layout: StoredMessageLayout, _ topology: Topology) -> WaitingFinding? {
        let name = "messages to \(layout.stage)"
        guard let own = topology.messageLayouts[layout.stage] else {
            return WaitingFinding(name: name, action: .drainFirst, detail: "they wait, and nobody sends any in this version: \(drain)")
        }
        do throws(EvolutionRefusal) {
            _ = try own.reading(layout)
            return nil
        } catch {
            return WaitingFinding(name: name, action: .drainFirst, detail: "\(error): \(drain)")
        }
    }
}
