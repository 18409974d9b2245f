import Engine
import Glibc

/// Who knows how much room there is on a disk.
package protocol RoomGauge: Sendable {
    /// How many bytes may still be written below a directory; nil when nobody can say.
    func free(in directory: String) -> Int?
}

/// The room that the file system says there is.
package struct DiskRoom: RoomGauge {
    package init() {}

    package func free(in directory: String) -> Int? {
        var status = statvfs()
        var place = directory
        // One that is not there yet will be made where its parent is.
        while statvfs(place, &status) != 0 {
            guard errno == ENOENT, place != ".", place != "/" else { return nil }
            let slash = place.lastIndex(ofSign: "/")
            place = slash.map { $0 == place.startIndex ? "/" : String(place[..<$0]) } ?? "."
        }
        // Some file systems, such as those of object stores, have no size.
        guard status.f_blocks > 0 else { return nil }
        return Int(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }

    /// Throws kind `retry`, caused by a full disk, when there is less room than that. `action`: what needs it, for people.
    package static func require(_ bytes: Int, in directory: String, to action: String, gauge: any RoomGauge = DiskRoom()) throws {
        guard let free = gauge.free(in: directory), free < bytes else { return }
        throw StateError(
            .retry,
            "about \(mebibytes(bytes)) have to be free on the disk of \(directory) to \(action), and \(mebibytes(free)) are: make room there",
            cause: FullDisk(path: directory, reason: "not begun")
        )
    }

    /// As people read it, rounded up.
    package static func mebibytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }
}
