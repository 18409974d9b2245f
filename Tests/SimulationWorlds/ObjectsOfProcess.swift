import CheckpointStores
import Engine
import Foundation
import Simulation

/// A simulated store as one process uses it.
///
/// `@unchecked Sendable`: a simulation runs one thread at a time.
final class ObjectsOfProcess: ObjectStore, @unchecked Sendable {
    private let objects: SimulatedObjects
    private let process: SimulatedProcess
    /// When virtual time begins, in milliseconds since 1970 UTC.
    static let origin: Int64 = 1_788_220_800_000

    init(_ objects: SimulatedObjects, _ process: SimulatedProcess) {
        self.objects = objects
        self.process = process
    }

    let location = "simulated"

    private func asking<Value>(_ body: () throws -> Value) throws(CheckpointError) -> Value {
        do {
            return try body()
        } catch let error as any Failure {
            throw CheckpointError(error.kind, error.message)
        } catch {
            throw CheckpointError(.bug, "the process died")
        }
    }

    func put(_ content: ObjectContent, at key: ObjectKey, onlyIfAbsent: Bool) throws(CheckpointError) -> PutOutcome {
        try asking {
            let bytes =
                switch content {
                case .bytes(let bytes): bytes
                case .file(let path, _): Array(try Data(contentsOf: URL(fileURLWithPath: path)))
                }
            return try objects.put(bytes, at: key.text, onlyIfAbsent: onlyIfAbsent, by: process) ? .created : .exists
        }
    }

    func get(_ key: ObjectKey, limit: Int) throws(CheckpointError) -> [UInt8]? {
        try asking { try objects.get(key.text, by: process) }
    }

    func download(_ key: ObjectKey, into file: String?, limit: Int) throws(CheckpointError) -> ObjectDigest? {
        try asking {
            guard let bytes = try objects.get(key.text, by: process) else { return nil }
            if let file { try Data(bytes).write(to: URL(fileURLWithPath: file)) }
            return ObjectDigest(bytes: bytes.count, sha256: SHA256.of(bytes))
        }
    }

    func list(prefix: String, after: ObjectKey?, limit: Int) throws(CheckpointError) -> [ListedObject] {
        try asking {
            try objects.list(prefix: prefix, after: after?.text, limit: limit, by: process).map { key, object in
                ListedObject(
                    key: try ObjectKey(key), bytes: object.bytes.count, modifiedAt: ObjectsOfProcess.milliseconds(object.modifiedAt))
            }
        }
    }

    func delete(_ key: ObjectKey) throws(CheckpointError) {
        try asking { try objects.delete(key.text, by: process) }
    }

    static func milliseconds(_ time: Duration) -> Int64 {
        origin + time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000
    }
}

/// What is in a simulated store, without faults and without waiting.
///
/// `@unchecked Sendable`: a simulation runs one thread at a time.
final class StoredObjects: ObjectStore, @unchecked Sendable {
    private let objects: SimulatedObjects
    init(_ objects: SimulatedObjects) { self.objects = objects }

    let location = "simulated"
    func get(_ key: ObjectKey, limit: Int) throws(CheckpointError) -> [UInt8]? { objects.objects[key.text]?.bytes }
    func put(_ content: ObjectContent, at key: ObjectKey, onlyIfAbsent: Bool) throws(CheckpointError) -> PutOutcome { throw readOnly }
    func download(_ key: ObjectKey, into file: String?, limit: Int) throws(CheckpointError) -> ObjectDigest? { throw readOnly }
    func list(prefix: String, after: ObjectKey?, limit: Int) throws(CheckpointError) -> [ListedObject] { throw readOnly }
    func delete(_ key: ObjectKey) throws(CheckpointError) { throw readOnly }
    private var readOnly: CheckpointError { CheckpointError(.bug, "only to be looked at") }
}
