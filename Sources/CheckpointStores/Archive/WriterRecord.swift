import Engine
import Foundation
import Synchronization

/// Under which names workers of one state directory have published: a line a name in `<state directory>/writers`.
///
/// The newest manifest's writer is among them exactly when nobody else has gone on from this job's state since. A name is
/// durable before anything is published under it.
final class WriterRecord: Sendable {
    private let path: String
    private let names: Mutex<[String]>

    /// A longer file is none of ours.
    private static let longest = 1 << 20

    init(stateDirectory: String) throws(CheckpointError) {
        path = stateDirectory + "/writers"
        guard FileManager.default.fileExists(atPath: path) else {
            names = Mutex([])
            return
        }
        guard let data = FileManager.default.contents(atPath: path), data.count < WriterRecord.longest else {
            throw CheckpointError(.invalid, "\(path) can't be read; check the directory's owner and permissions")
        }
        names = Mutex(String(decoding: data, as: UTF8.self).parts(at: "\n").map(String.init))
    }

    var isEmpty: Bool { names.withLock(\.isEmpty) }
    func contains(_ name: String) -> Bool { names.withLock { $0.contains(name) } }

    /// Only these names count from now on; durable when it returns.
    func keep(_ kept: [String]) throws(CheckpointError) {
        try LocalFile.replace(path, with: Array(kept.map { $0 + "\n" }.joined().utf8))
        names.withLock { $0 = kept }
    }

    /// These names count as well from now on; durable when it returns. The oldest ones beyond a limit are forgotten.
    func add(_ added: [String]) throws(CheckpointError) {
        let known = names.withLock { $0 }
        try keep(Array((known.filter { !added.contains($0) } + added).suffix(WriterRecord.limit)))
    }

    /// More starts than this without one published checkpoint lose the oldest name.
    private static let limit = 256
}
