import Foundation
import TestSupport
import Testing

/// The bank's job as a later version could be: its rows, its state and its messages are laid out otherwise. Everything else of
/// `tidemark` is the repository's own.
enum NextBankVersion {
    /// The table that has a column more, and that column.
    static let added = (table: "customer_transaction_metrics", columns: ["amountSpread", "largeCount"])
    /// The table that has a column less, and that column.
    static let removed = (table: "customer_lifecycle_analytics", column: "timeSinceLastUpdate")

    private struct Change {
        /// Below Sources/FintechJob.
        let file: String
        /// Stands there once.
        let text: String
        let replacement: String
    }

    private static let changes = [
        Change(file: "FintechJob.swift", text: "version = 3\n", replacement: "version = 4\n"),

        // Columns of one type in the other order, two more, one of which comes of a new field of the state.
        Change(
            file: "Metrics/CustomerTransactionMetrics.swift",
            text: """
                        rows.amount("minAmount", cents: totals.smallest)
                        rows.amount("maxAmount", cents: totals.greatest)

                """,
            replacement: """
                        rows.amount("maxAmount", cents: totals.greatest)
                        rows.amount("minAmount", cents: totals.smallest)
                        rows.amount("amountSpread", cents: totals.greatest - totals.smallest)
                        rows.count("largeCount", totals.large)

                """
        ),
        Change(
            file: "Metrics/CustomerTransactionMetrics.swift",
            text: #"OutputColumn("minAmount", .amount), OutputColumn("maxAmount", .amount),"#,
            replacement:
                #"OutputColumn("maxAmount", .amount), OutputColumn("minAmount", .amount), OutputColumn("amountSpread", .amount), OutputColumn("largeCount", .count),"#
        ),
        Change(
            file: "Metrics/CustomerTransactionMetrics.swift", text: "version = 1\n",
            replacement: "version = 2\n    static let evolution = StateEvolution.from(1).adding(\"large\")\n"
        ),
        Change(
            file: "Metrics/CustomerTransactionTotals.swift", text: "    var count: UInt64 = 0\n",
            replacement: "    /// Of 100.00 and more.\n    var large: UInt64 = 0\n    var count: UInt64 = 0\n"
        ),
        Change(
            file: "Metrics/CustomerTransactionTotals.swift", text: "        visit.field(\"count\", &count)\n",
            replacement: "        visit.field(\"large\", &large)\n        visit.field(\"count\", &count)\n"
        ),
        Change(
            file: "Metrics/CustomerTransactionTotals.swift", text: "(completed, failed, pending) = (0, 0, 0)",
            replacement: "(completed, failed, pending, large) = (0, 0, 0, 0)"
        ),
        Change(
            file: "Metrics/CustomerTransactionTotals.swift", text: "        count += 1\n",
            replacement: "        count += 1\n        if transaction.amount >= 100_00 { large += 1 }\n"
        ),

        // Two texts in the other order.
        Change(
            file: "Metrics/CustomerSessionMetrics.swift",
            text: """
                        rows.text("channel", totals.channel.shown)
                        rows.text("deviceType", totals.deviceType.shown)

                """,
            replacement: """
                        rows.text("deviceType", totals.deviceType.shown)
                        rows.text("channel", totals.channel.shown)

                """
        ),
        Change(
            file: "Metrics/CustomerSessionMetrics.swift", text: #"OutputColumn("channel", .text), OutputColumn("deviceType", .text),"#,
            replacement: #"OutputColumn("deviceType", .text), OutputColumn("channel", .text),"#
        ),

        // A column less.
        Change(
            file: "Lifecycle/LifecycleRowWriter.swift",
            text: """
                        rows.count(
                            "timeSinceLastUpdate", isFirst ? 0 : UInt64(clamping: Int128(step.time.milliseconds) - Int128(standing.rowTime.milliseconds)))

                """,
            replacement: ""
        ),
        Change(file: "Lifecycle/LifecycleRowWriter.swift", text: #", OutputColumn("timeSinceLastUpdate", .count)"#, replacement: ""),

        // Messages between stages whose numbers of one type are in the other order.
        Change(
            file: "Merchants/MerchantPartial.swift", text: "layout = MessageLayout(\n        version: 1,",
            replacement: "layout = MessageLayout(\n        version: 2,"
        ),
        Change(
            file: "Merchants/MerchantPartial.swift",
            text: """
                StateField(name: "smallest", type: .signed),
                            StateField(name: "greatest", type: .signed),
                """,
            replacement: """
                StateField(name: "greatest", type: .signed),
                            StateField(name: "smallest", type: .signed),
                """
        ),
        Change(
            file: "Merchants/MerchantPartial.swift", text: "name: \"customers\", type: .unsigned),\n        ])",
            replacement: "name: \"customers\", type: .unsigned),\n        ], evolution: .from(1))"
        ),
        Change(
            file: "Merchants/MerchantPartial.swift",
            text: """
                        payload.write(zigzag: totals.smallest)
                        payload.write(zigzag: totals.greatest)

                """,
            replacement: """
                        payload.write(zigzag: totals.greatest)
                        payload.write(zigzag: totals.smallest)

                """
        ),
        Change(
            file: "Merchants/MerchantPartial.swift",
            text: """
                        totals.smallest = reader.zigzag()
                        totals.greatest = reader.zigzag()

                """,
            replacement: """
                        totals.greatest = reader.zigzag()
                        totals.smallest = reader.zigzag()

                """
        ),
    ]

    /// The path of its `tidemark`, which is built once a process.
    static func binary() throws -> String {
        do {
            return try built.get()
        } catch {
            // A failed requirement is told in the test that it happened in, and in no other that it is thrown in.
            throw NotBuilt(description: "the next version of the bank's job was not built: \(error)")
        }
    }

    private struct NotBuilt: Error, CustomStringConvertible { let description: String }

    private static let built = Result { try build() }

    /// Builds it below the repository's `.build`, anew only as far as something changed.
    private static func build() throws -> String {
        let folder = repository + "/.build/next-bank-version"
        try layOut(in: folder + "/package")
        let options = [
            "--product", "tidemark", "--package-path", folder + "/package", "--scratch-path", folder + "/build", "--disable-index-store",
        ]
        let begun = Date()
        let build = try ChildProcess("/usr/bin/env", ["swift", "build"] + options)
        try #require(build.waitForExit() == 0, "the next version can't be built: \(build.output.suffix(4000))\(build.errors.suffix(4000))")
        print("next version of the bank's job: built in \(String(format: "%.1f", Date().timeIntervalSince(begun))) s")
        return folder + "/build/debug/tidemark"
    }

    /// The first version makes a job's tables; what this one's `tables` proposes then is run as it stands.
    static func prepareTables(of job: JobFixture) throws {
        #expect(try job.run("tables").status == 0)
        let found = try job.run("tables", of: try binary())
        #expect(found.status == 2, "\(found)")
        let statements = found.output.split(separator: "\n").compactMap { line in
            line.firstRange(of: "ALTER TABLE").map { String(line[$0.lowerBound...]) }
        }
        #expect(statements.count == added.columns.count, "\(found.output)")
        for statement in statements { try job.clickHouse.query(statement) }
    }

    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// A package of links to the repository, but for the job, whose files are the changed ones.
    private static func layOut(in package: String) throws {
        let files = FileManager.default
        try? files.removeItem(atPath: package + "/Package.resolved")
        try files.createDirectory(atPath: package + "/Sources/FintechJob", withIntermediateDirectories: true)
        for name in ["Package.swift", "Examples", "Tests", "tools"] { try link(name, in: package) }
        // The versions that the repository was built with, where it was.
        if files.fileExists(atPath: repository + "/Package.resolved") {
            try files.copyItem(atPath: repository + "/Package.resolved", toPath: package + "/Package.resolved")
        }
        let targets = try files.contentsOfDirectory(atPath: repository + "/Sources").filter { $0 != "FintechJob" }
        for gone in Set(try files.contentsOfDirectory(atPath: package + "/Sources")).subtracting(targets + ["FintechJob"]) {
            try files.removeItem(atPath: package + "/Sources/" + gone)
        }
        for target in targets { try link("Sources/" + target, in: package) }
        try layOutJob(in: package + "/Sources/FintechJob")
    }

    private static func link(_ name: String, in package: String) throws {
        let path = package + "/" + name
        if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == repository + "/" + name { return }
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: repository + "/" + name)
    }

    private static func layOutJob(in folder: String) throws {
        let sources = repository + "/Sources/FintechJob"
        var texts: [String: String] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: sources) where path.hasSuffix(".swift") {
            texts[path] = try String(contentsOfFile: sources + "/" + path, encoding: .utf8)
        }
        for change in changes {
            let parts = try #require(texts[change.file], "Sources/FintechJob has no \(change.file)").components(separatedBy: change.text)
            try #require(parts.count == 2, "\(change.file) holds this \(parts.count - 1) times, not once: \(change.text)")
            texts[change.file] = parts.joined(separator: change.replacement)
        }
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder) where path.hasSuffix(".swift") && texts[path] == nil {
            try FileManager.default.removeItem(atPath: folder + "/" + path)
        }
        for (path, text) in texts where (try? String(contentsOfFile: folder + "/" + path, encoding: .utf8)) != text {
            let file = URL(fileURLWithPath: folder + "/" + path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
    }
}
