import Engine
import Logging
import SQLiteState

/// Fits what the file has of the reference topics to their logs, and opens a source at where the file ends. What does
/// not fit its log is read anew: unlike state, a copy of a compacted topic can be had again.
struct ReferenceOpening {
    let source: any RecordSource
    let held: [HeldReference]
    let starts: [TopicPartition: Int64]

    init(
        _ references: [Reference], tables: [String: ReferenceTable], input: ReferenceInput, recordLimit: Int, memory: ReferenceMemory,
        logger: Logger
    ) throws {
        let first = try input.makeSource()
        var partitions: [String: Int] = [:]
        for reference in references {
            guard partitions[reference.topic] == nil else {
                throw WorkerError(.invalid, "two references read topic \(reference.topic); make them one reference")
            }
            partitions[reference.topic] = try first.partitionCount(of: reference.topic)
        }
        if let reason = input.file.replacedBecause { logger.notice("the copy of the reference topics is made anew: \(reason)") }
        var stored = try input.file.open(references, partitions: partitions)
        for reference in references {
            guard let reason = stored[reference.name]?.droppedBecause else { continue }
            logger.notice("reference topic \(reference.topic) is read anew from its start: what is stored of it does not fit, \(reason)")
        }
        func assignments(_ references: [Reference]) -> [SourceAssignment] {
            references.flatMap { reference in
                (0..<partitions[reference.topic, default: 0]).map {
                    SourceAssignment(
                        partition: TopicPartition(topic: reference.topic, partition: $0), position: stored[reference.name]?.positions[$0])
                }
            }
        }
        var source: any RecordSource = first
        var starts: [TopicPartition: Int64]
        do {
            starts = try first.open(assignments(references))
        } catch let error as any Failure where error.kind == .invalid || error.kind == .corrupt {
            // Only a position can be mended here, and one that failed does not say whose it is: each topic is tried alone.
            var misfits: [String: any Error] = [:]
            for reference in references where !(stored[reference.name]?.positions.isEmpty ?? true) {
                do { try input.makeSource().open(assignments([reference])) } catch { misfits[reference.name] = error }
            }
            guard !misfits.isEmpty else { throw error }
            for name in misfits.keys { stored[name] = nil }
            source = try input.makeSource()
            starts = try source.open(assignments(references))
            for (name, misfit) in misfits.sorted(by: { $0.key < $1.key }) {
                try input.file.forget(name)
                logger.notice(
                    "reference table \(name) is read anew from the start of its topic: what is stored does not fit the log (\(misfit))")
            }
        }
        let all = references.map { tables[$0.name] ?? ReferenceTable(name: $0.name) }
        var damaged: [String] = []
        for (reference, table) in zip(references, all)
        where try !input.file.load(reference, into: table, check: { try memory.check(all.map { ReferenceMemory.Use($0) }) }) {
            damaged.append(reference.name)
            table.removeAll()
            stored[reference.name] = nil
            try input.file.forget(reference.name)
            logger.warning(
                "reference table \(reference.name) is read anew from the start of topic \(reference.topic): a stored record of it is damaged or not sound (out_of_bounds)"
            )
        }
        if !damaged.isEmpty {
            source = try input.makeSource()
            starts = try source.open(assignments(references))
        }
        self.source = source
        self.starts = starts
        let recordLimit = source.limit(of: recordLimit)
        held = zip(references, all).map {
            HeldReference($0, table: $1, stored: stored[$0.name], recordLimit: recordLimit, logger: logger)
        }
    }
}
