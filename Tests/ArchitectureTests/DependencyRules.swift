/// What each target may import: parts below it, never above or beside it unless said.
struct DependencyRules {
    let allowed: [String: Set<String>]

    /// Modules of the system that the edges may use.
    static let system: Set<String> = ["Dispatch", "Foundation", "Glibc", "Synchronization"]

    static let tidemark = DependencyRules(allowed: [
        "Engine": [],
        "Avro": ["Engine"],
        "FintechJob": ["Avro", "Engine"],
        "Simulation": ["Engine"],
        "Traffic": ["Engine"],
        "Configuration": system.union(["Engine", "Yams"]),
        "SQLiteState": system.union(["Engine", "CSQLite"]),
        "CurlHTTP": system.union(["CCurl"]),
        "KafkaIO": system.union(["Engine", "CRdKafka", "Logging"]),
        "SchemaRegistry": system.union(["Avro", "CurlHTTP", "Engine", "Logging"]),
        "ClickHouseSink": system.union(["Engine", "CurlHTTP", "Logging"]),
        "CheckpointStores": system.union(["Engine", "CurlHTTP", "CCrypto"]),
        "Admin": system.union(["Engine", "CCrypto", "CMicroHTTPD"]),
        "Worker": system.union(["Engine", "SQLiteState", "Logging"]),
        "CommandLineParts": system.union(["Engine", "Configuration"]),
        "tidemark": system.union([
            "CommandLineParts", "Engine", "FintechJob", "Traffic", "Configuration", "SQLiteState", "CheckpointStores", "CurlHTTP",
            "KafkaIO",
            "ClickHouseSink", "Admin", "Avro", "SchemaRegistry", "Worker", "ArgumentParser", "Logging",
        ]),
    ])

    /// The targets that compute and nothing else.
    static let pure = ["Engine", "Avro", "FintechJob", "Simulation", "Traffic"]

    /// Names through which a target without imports could still reach a clock, the outside, chance or concurrency.
    static let impure = [
        "async", "await", "actor", "Task", "Thread", "ContinuousClock", "SuspendingClock", "Clock", "Date", "DispatchTime",
        "clock_gettime", "gettimeofday", "time(nil", "time(&", "print(", "debugPrint(", "dump(", "readLine", "CommandLine",
        "FileManager", "FileHandle", "ProcessInfo", "getenv", "SystemRandomNumberGenerator", ".random(in:", ".shuffled()",
        ".randomElement()", "UUID", "@_silgen_name", "@_extern", "dlsym",
    ]

    /// Where one of them is allowed, as no result depends on it: the seed of hashes that are only looked up by.
    static let allowedImpurity = ["Sources/Engine/Bytes/ByteHash.swift": [".random(in:"]]

    /// What a target's file does that it must not.
    func violations(in file: SourceFile, of target: String) -> [String] {
        guard let allowed = allowed[target] else {
            return ["\(file.path): \(target) is no target of the table; add it with what it may import"]
        }
        var found = file.imports.filter { $0.module != "Swift" && !allowed.contains($0.module) }
            .map { "\(file.path):\($0.line): \(target) must not import \($0.module)" }
        if DependencyRules.pure.contains(target) {
            found += file.lines(
                with: DependencyRules.impure.filter { !DependencyRules.allowedImpurity[file.path, default: []].contains($0) }
            ).map { "\(file.path):\($0.line): \(target) computes only; it must not use \($0.word)" }
        }
        return found
    }
}
