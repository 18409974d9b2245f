import Engine
import Foundation
import Traffic

/// Writes `<topic>.jsonl`, or for streams of several partitions `<topic>/<partition>.jsonl`, one value a line.
///
/// A stream's record lies in the partition that Kafka's own partitioner would choose for its key.
struct DirectoryDestination: TrafficDestination {
    private let directory: String
    private var files: [TrafficTopic: [LineFile]] = [:]

    init(_ directory: String, prefix: String, partitions: Int) throws {
        self.directory = directory
        for topic in TrafficTopic.allCases {
            let path = "\(directory)/\(prefix)\(topic.rawValue)"
            for taken in ["\(path).jsonl", path] where FileManager.default.fileExists(atPath: taken) {
                throw TrafficError(.invalid, "\(taken) exists already; choose another --out, or remove it")
            }
            files[topic] = try DirectoryDestination.makeFiles(path, partitions: topic.isStream ? partitions : 1)
        }
    }

    private static func makeFiles(_ path: String, partitions: Int) throws -> [LineFile] {
        let folder = partitions == 1 ? URL(fileURLWithPath: path).deletingLastPathComponent().path : path
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw TrafficError(.invalid, "the directory \(folder) can't be made; see to its parent and its permissions", cause: error)
        }
        guard partitions > 1 else { return [try LineFile("\(path).jsonl")] }
        return try (0..<partitions).map { try LineFile("\(path)/\($0).jsonl") }
    }

    mutating func write(_ topic: TrafficTopic, key: ByteView, value: ByteView) throws {
        guard let files = files[topic] else { return }
        try files[files.count == 1 ? 0 : murmur2Partition(of: key, partitions: files.count)].write(line: value)
    }

    mutating func finish() throws {
        for file in files.values.joined() { try file.finish() }
    }
}

/// A file that lines are added to, through a buffer.
private final class LineFile {
    private let path: String
    private let descriptor: Int32
    private var buffer = ByteWriter(capacity: LineFile.bufferSize + 4096)

    private static let bufferSize = 256 << 10

    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw LineFile.failure(path) }
    }

    deinit { close(descriptor) }

    func write(line: ByteView) throws {
        buffer.write(raw: line)
        buffer.write(byte: UInt8(ascii: "\n"))
        if buffer.count >= LineFile.bufferSize { try flush() }
    }

    func finish() throws {
        try flush()
        guard fsync(descriptor) == 0 else { throw LineFile.failure(path) }
    }

    private func flush() throws {
        var rest = buffer.view.rawBuffer[...]
        while !rest.isEmpty {
            let written = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw LineFile.failure(path)
            }
            rest = rest.dropFirst(written)
        }
        buffer.removeAll()
    }

    private static func failure(_ path: String) -> TrafficError {
        let code = POSIXErrorCode(rawValue: errno) ?? .EIO
        let reason = String(cString: strerror(code.rawValue))
        return TrafficError(.invalid, "\(path) can't be written: \(reason); see to the disk and to permissions", cause: POSIXError(code))
    }
}

/// What went wrong while traffic was written.
struct TrafficError: Failure {
    let kind: FailureKind
    let message: String
    let cause: (any Error)?

    init(_ kind: FailureKind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }
}
