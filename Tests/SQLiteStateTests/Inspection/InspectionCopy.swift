import Foundation
import SQLiteState
import TestSupport

/// A copy of a state directory's files, which a store has open, as a kill at this moment would leave them.
final class InspectionCopy {
    private let copy: TemporaryDirectory

    init(of directory: TemporaryDirectory) throws {
        copy = try TemporaryDirectory("inspected")
        for name in ["state.db", "state.db-wal"] where FileManager.default.fileExists(atPath: directory.file(name)) {
            try FileManager.default.copyItem(atPath: directory.file(name), toPath: copy.file(name))
        }
    }

    func reader() throws -> StateReader {
        try HeldState(path: copy.path) { [copy] in
            let scratch = copy.file("scratch")
            try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: false)
            return scratch
        }.reader
    }
}
