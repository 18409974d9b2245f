// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours: Swift 6 language mode (by the tools version) and no warning left standing.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "tidemark",
    products: [
        .library(name: "Tidemark", targets: ["Engine", "Worker", "SQLiteState", "KafkaIO", "ClickHouseSink"]),
        .executable(name: "tidemark", targets: ["tidemark"]),
        .executable(name: "checkpoint", targets: ["checkpoint"]),
    ],
    dependencies: [
        // The command line: sub-commands, help and usage errors as users of good tools expect them.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // The log API that programs embedding the engine already use; 1 s of build time.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // YAML with line numbers for the configuration's errors; a parser of our own would not be trusted.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // The core: no C library, no clock, no I/O, no async.
        .target(name: "Engine", swiftSettings: strict),
        .target(name: "Avro", dependencies: ["Engine"], swiftSettings: strict),
        .target(name: "FintechJob", dependencies: ["Avro", "Engine"], swiftSettings: strict),
        .target(name: "Simulation", dependencies: ["Engine"], swiftSettings: strict),

        .target(name: "Configuration", dependencies: ["Engine", "Yams"], swiftSettings: strict),
        .target(name: "Traffic", dependencies: ["Engine"], swiftSettings: strict),

        // The edges.
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CRdKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        // SHA-256 of every byte of a checkpoint, with the processor's own instructions: 1.7 GB a second against 0.2 of plain Swift.
        // libcurl and librdkafka bring the library anyway; swift-crypto would build a BoringSSL of its own for this one hash.
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        // The status page's HTTP: a parser that has stood in open networks for years, with a fixed memory for each connection, and no build
        // time (SwiftNIO alone builds longer than all of this). Taking and ending connections is ours, because its own listener stops at
        // its limit: idle connections would keep probes out.
        .systemLibrary(name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .target(name: "SQLiteState", dependencies: ["Engine", "CSQLite"], swiftSettings: strict),
        .target(
            name: "KafkaIO", dependencies: ["Engine", "CRdKafka", .product(name: "Logging", package: "swift-log")], swiftSettings: strict),
        .target(name: "CurlHTTP", dependencies: ["CCurl"], swiftSettings: strict),
        .target(
            name: "SchemaRegistry", dependencies: ["Avro", "CurlHTTP", "Engine", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .target(
            name: "ClickHouseSink", dependencies: ["Engine", "CurlHTTP", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .target(name: "CheckpointStores", dependencies: ["Engine", "CurlHTTP", "CCrypto"], swiftSettings: strict),
        .target(name: "Admin", dependencies: ["Engine", "CCrypto", "CMicroHTTPD"], swiftSettings: strict),

        // Runs a topology: threads, clocks and signals around Engine's state machines.
        .target(
            name: "Worker", dependencies: ["Engine", "SQLiteState", .product(name: "Logging", package: "swift-log")], swiftSettings: strict),

        // What our commands have in common: exit codes, the console, progress, times and errors in words.
        .target(name: "CommandLineParts", dependencies: ["Engine", "Configuration"], swiftSettings: strict),

        .executableTarget(
            name: "tidemark",
            dependencies: [
                "CommandLineParts", "Avro", "Engine", "FintechJob", "Traffic", "Configuration", "SQLiteState", "CheckpointStores",
                "KafkaIO", "ClickHouseSink",
                "Admin", "SchemaRegistry", "Worker",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "checkpoint",
            dependencies: [
                "CheckpointStores", "ClickHouseSink", "CommandLineParts", "Configuration", "Engine", "KafkaIO", "SQLiteState",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "tools/checkpoint",
            swiftSettings: strict
        ),
        // Measures; no product contains it.
        .executableTarget(
            name: "benchmark",
            dependencies: [
                "Avro", "CheckpointStores", "Engine", "FintechJob", "SQLiteState", "Simulation", "KafkaIO", "ClickHouseSink", "Worker",
                .product(name: "ArgumentParser", package: "swift-argument-parser"), .product(name: "Logging", package: "swift-log"),
            ],
            path: "tools/benchmark",
            swiftSettings: strict
        ),

        // Runs many seeds of every world; no product contains it.
        .executableTarget(
            name: "simulation",
            dependencies: [
                "Simulation", "SimulationWorlds", "TestSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "tools/simulation",
            swiftSettings: strict
        ),

        // docs/WRITING-A-PROCESSOR.md as running code; a package of its own too, as a user would have it.
        .executableTarget(
            name: "clicks",
            dependencies: [
                "Engine", "SQLiteState", "KafkaIO", "ClickHouseSink", "Worker", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Examples/Clicks/Sources/clicks",
            // As a stranger: it sees what is public, and no more.
            packageAccess: false,
            swiftSettings: strict
        ),

        // Servers, ports and files for the tests; no product contains it.
        .target(
            name: "TestSupport",
            dependencies: ["Engine", "Simulation", "CSQLite", "CurlHTTP", "CFaultVFS", .product(name: "Logging", package: "swift-log")],
            path: "Tests/TestSupport",
            exclude: ["avro_records.py", "chdb_front.py", "debezium_engine.py", "s3_front.py", "schema_registry.py"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "FintechJobTests", dependencies: ["Avro", "Engine", "FintechJob", "Simulation", "TestSupport"], swiftSettings: strict
        ),
        .testTarget(name: "AdminTests", dependencies: ["Admin", "Engine", "TestSupport"], swiftSettings: strict),
        .target(name: "CFaultVFS", dependencies: ["CSQLite"], path: "Tests/CFaultVFS"),
        .testTarget(
            name: "SQLiteStateTests", dependencies: ["Engine", "SQLiteState", "CSQLite", "Simulation", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "CheckpointStores", "Engine", "KafkaIO", "SQLiteState", "Worker", "Simulation", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        // What is simulated: for the tests and for `tools/simulate`.
        .target(
            name: "SimulationWorlds", dependencies: ["CheckpointStores", "Engine", "Simulation", "TestSupport"],
            path: "Tests/SimulationWorlds",
            swiftSettings: strict
        ),
        .testTarget(
            name: "SimulationTests", dependencies: ["CheckpointStores", "Engine", "Simulation", "SimulationWorlds", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(name: "EngineTests", dependencies: ["Engine", "Simulation", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "AvroTests", dependencies: ["Avro", "Engine", "Simulation", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "ArchitectureTests", swiftSettings: strict),
        .testTarget(name: "TrafficTests", dependencies: ["Engine", "Traffic"], swiftSettings: strict),
        .testTarget(name: "ConfigurationTests", dependencies: ["Configuration", "Engine", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "KafkaIOTests",
            dependencies: ["Engine", "KafkaIO", "CRdKafka", "TestSupport", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .testTarget(name: "CurlHTTPTests", dependencies: ["CurlHTTP", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "CheckpointStoresTests", dependencies: ["CheckpointStores", "CurlHTTP", "Engine", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "SchemaRegistryTests",
            dependencies: ["Avro", "CurlHTTP", "Engine", "SchemaRegistry", "TestSupport", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ClickHouseSinkTests",
            dependencies: [
                "ClickHouseSink", "CurlHTTP", "Engine", "Simulation", "TestSupport", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CheckpointToolTests",
            dependencies: [
                "CommandLineParts",
                "checkpoint", "CheckpointStores", "CRdKafka", "CSQLite", "Engine", "KafkaIO", "SQLiteState", "Simulation", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"), .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Expected"],
            swiftSettings: strict
        ),
        // The built commands as a user starts them.
        .testTarget(
            name: "TidemarkTests",
            dependencies: [
                "tidemark", "checkpoint", "clicks", "Admin", "CheckpointStores", "CurlHTTP", "Engine", "FintechJob", "KafkaIO",
                "SQLiteState", "Simulation", "TestSupport", .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Bank"],
            swiftSettings: strict
        ),
    ]
)
