// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "clicks",
    dependencies: [
        .package(name: "tidemark", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "clicks",
            dependencies: [.product(name: "Tidemark", package: "tidemark"), .product(name: "Logging", package: "swift-log")]
        )
    ]
)
