import Engine

/// A snapshot in Prometheus' text format (version 0.0.4).
struct MetricsText {
    private(set) var text = ""

    /// - Parameter endings: how many connections to the page were ended, by reason.
    init(_ snapshot: StatusSnapshot, endings: [(reason: String, count: UInt64)] = []) {
        let job = [("job_id", snapshot.job)]
        add("tidemark_info", "gauge", "The version that runs.", [(job + [("version", snapshot.version)], "1")])
        add("tidemark_running", "gauge", "1 while the worker processes records.", [(job, snapshot.phase == .running ? "1" : "0")])
        add("tidemark_lineage", "gauge", "The job's lineage.", [(job, "\(snapshot.lineage)")])
        add("tidemark_epoch", "counter", "The last committed epoch.", [(job, "\(snapshot.epoch)")])
        add("tidemark_commit_seconds", "gauge", "How long the last commit took.", [(job, "\(snapshot.lastCommitMilliseconds / 1000)")])
        add("tidemark_reading_held", "gauge", "1 while reading waits for deliveries.", [(job, snapshot.isReadingHeld ? "1" : "0")])
        add("tidemark_state_bytes", "gauge", "Keyed state in memory.", [(job, "\(snapshot.memory.stateBytes)")])
        add("tidemark_outbox_bytes", "gauge", "Rows waiting for delivery.", [(job, "\(snapshot.memory.outboxBytes)")])
        add(
            "tidemark_names_left_out_total", "counter", "Times that a name found no room in its record (state.namesPerRecord).",
            [(job, "\(snapshot.namesLeftOut)")])
        add("process_resident_memory_bytes", "gauge", "Resident memory of the process.", [([], "\(snapshot.memory.residentBytes)")])
        if let checkpoint = snapshot.checkpoint {
            add("tidemark_checkpoint_number", "gauge", "The number of the last checkpoint.", [(job, "\(checkpoint.number)")])
            add("tidemark_checkpoint_epoch", "gauge", "The last epoch that is in a checkpoint.", [(job, "\(checkpoint.epoch)")])
            add(
                "tidemark_checkpoint_timestamp_seconds", "gauge", "When the last checkpoint was stored, in seconds since 1970.",
                [(job, "\(Double(checkpoint.time) / 1000)")])
            add("tidemark_checkpoint_bytes", "gauge", "The files of the last checkpoint.", [(job, "\(checkpoint.bytes)")])
        }
        addTimes("tidemark_start_seconds", "What the start took, part by part.", snapshot.start, job)
        addTimes("tidemark_drain_seconds", "What the drain took, part by part.", snapshot.drain, job)
        addPartitions(snapshot)
        addTables(snapshot)
        addReferences(snapshot)
        add(
            "tidemark_page_connections_ended_total", "counter", "Connections to the status page that were ended before their answer.",
            endings.map { (job + [("reason", $0.reason)], "\($0.count)") })
    }

    private mutating func addTimes(_ name: String, _ help: String, _ times: [StatusSnapshot.PartTime], _ job: [(String, String)]) {
        add(name, "gauge", help, times.map { (job + [("part", $0.part)], "\($0.seconds)") })
    }

    private mutating func addPartitions(_ snapshot: StatusSnapshot) {
        func samples(_ value: (StatusSnapshot.Partition) -> String?) -> [Sample] {
            snapshot.partitions.compactMap { partition in
                value(partition).map {
                    ([("job_id", snapshot.job), ("topic", partition.topic), ("partition", "\(partition.partition)")], $0)
                }
            }
        }
        add("tidemark_partition_next_offset", "gauge", "The offset to read next.", samples { $0.nextOffset.map(String.init) })
        add("tidemark_partition_lag", "gauge", "Records that are not read yet.", samples { $0.lag.map(String.init) })
        add(
            "tidemark_partition_watermark_seconds", "gauge", "The watermark, in seconds since 1970.",
            samples { $0.watermark.map { "\(Double($0) / 1000)" } })
        add(
            "tidemark_partition_raised_by_offset", "gauge", "The offset of the record that raised the watermark furthest.",
            samples { $0.raisedByOffset.map(String.init) })
        add("tidemark_partition_idle", "gauge", "1 while the partition counts as idle.", samples { $0.isIdle ? "1" : "0" })
        add(
            "tidemark_partition_open_transaction_seconds", "gauge", "How long reading has stood before an open transaction.",
            samples { $0.openTransactionSeconds.map { "\($0)" } })
        add("tidemark_records_total", "counter", "Records read.", samples { "\($0.records)" })
        add("tidemark_rejected_total", "counter", "Records that can't be used.", samples { "\($0.rejected)" })
        add("tidemark_late_total", "counter", "Records too late for their window.", samples { "\($0.late)" })
        let skipped: [Sample] = snapshot.partitions.flatMap { partition in
            partition.skipped.sorted { $0.key < $1.key }.map { reason, count in
                (
                    [("job_id", snapshot.job), ("topic", partition.topic), ("partition", "\(partition.partition)"), ("reason", reason)],
                    "\(count)"
                )
            }
        }
        add("tidemark_skipped_total", "counter", "Records that are not meant to be processed.", skipped)
    }

    private mutating func addTables(_ snapshot: StatusSnapshot) {
        func samples(_ value: (StatusSnapshot.Table) -> String) -> [Sample] {
            snapshot.tables.map { ([("job_id", snapshot.job), ("table", $0.name)], value($0)) }
        }
        add("tidemark_outbox_pending_rows", "gauge", "Rows that are in no batch yet.", samples { "\($0.pendingRows)" })
        add("tidemark_outbox_frozen_batches", "gauge", "Batches that are not delivered yet.", samples { "\($0.frozenBatches)" })
        add("tidemark_outbox_frozen_rows", "gauge", "Rows of batches that are not delivered yet.", samples { "\($0.frozenRows)" })
        add("tidemark_rows_delivered_total", "counter", "Rows delivered since the process began.", samples { "\($0.rowsDelivered)" })
        add(
            "tidemark_inserts_total", "counter", "INSERTs sent since the process began, repeated ones included.",
            samples { "\($0.insertsSent)" })
        add(
            "tidemark_batches_uncounted_total", "counter", "Batches taken as delivered whose rows something took out of the table.",
            samples { "\($0.batchesUncounted)" })
        let stopped = samples { $0.delivery == .stopped ? "1" : "0" }
        add("tidemark_delivery_stopped", "gauge", "1 while somebody has to change something before rows can be delivered.", stopped)
        add("tidemark_delivered_batch", "counter", "The last batch that was delivered.", samples { "\($0.lastDeliveredBatch)" })
    }

    private mutating func addReferences(_ snapshot: StatusSnapshot) {
        func samples(_ value: (StatusSnapshot.Reference) -> String?) -> [Sample] {
            snapshot.references.compactMap { reference in
                value(reference).map { ([("job_id", snapshot.job), ("reference", reference.name), ("topic", reference.topic)], $0) }
            }
        }
        add("tidemark_reference_keys", "gauge", "Keys that a reference table holds.", samples { "\($0.keys)" })
        add("tidemark_reference_bytes", "gauge", "Memory that a reference table takes.", samples { "\($0.memoryBytes)" })
        add("tidemark_reference_records_total", "counter", "Records read of a reference topic.", samples { "\($0.records)" })
        add(
            "tidemark_reference_unusable_total", "counter", "Records of a reference topic that can't be used.", samples { "\($0.unusable)" }
        )
        for (kind, name, help) in [
            (StatusSnapshot.Reason.Kind.rejected, "tidemark_rejected_reasons_total", "Rejected records by reason."),
            (.remark, "tidemark_remarks_total", "What was remarked of records that were used all the same, by reason."),
        ] {
            add(
                name, "counter", help,
                snapshot.reasons.filter { $0.kind == kind }.map {
                    ([("job_id", snapshot.job), ("topic", $0.topic), ("reason", $0.reason)], "\($0.count)")
                })
        }
        let defects: [Sample] = snapshot.references.flatMap { reference in
            reference.defects.map { defect in
                let labels = [
                    ("reference", reference.name), ("topic", reference.topic), ("reason", defect.reason), ("field", defect.field ?? ""),
                ]
                return ([("job_id", snapshot.job)] + labels, "\(defect.count)")
            }
        }
        add(
            "tidemark_reference_defects_total", "counter", "What can't be used of a reference topic's records, by reason and field.",
            defects)
        add(
            "tidemark_reference_unloaded", "gauge", "Records of a reference topic that the start has still to read.",
            samples { reference in
                reference.toLoad.map { "\($0 > reference.loaded ? $0.subtractingReportingOverflow(reference.loaded).partialValue : 0)" }
            })
    }

    private typealias Sample = (labels: [(name: String, value: String)], value: String)

    private mutating func add(_ name: String, _ type: String, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.name)=\"\(MetricsText.escaped($0.value))\"" }.joined(separator: ",")
            text += labels.isEmpty ? "\(name) \(sample.value)\n" : "\(name){\(labels)} \(sample.value)\n"
        }
    }

    /// Without control characters, which a terminal that shows the metrics would obey.
    private static func escaped(_ label: String) -> String {
        label.printableLines.escaped { byte in
            switch byte {
            case UInt8(ascii: "\\"): "\\\\"
            case UInt8(ascii: "\""): "\\\""
            case UInt8(ascii: "\n"): "\\n"
            default: nil
            }
        }
    }
}
