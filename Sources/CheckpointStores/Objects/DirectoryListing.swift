import Engine
import Glibc

/// The files below a directory as objects.
struct DirectoryListing {
    let root: String

    func objects(prefix: String, after: ObjectKey?, limit: Int) throws(CheckpointError) -> [ListedObject] {
        let folder = prefix.lastIndex(ofSign: "/").map { String(prefix[..<$0]) } ?? ""
        var keys: [ObjectKey] = []
        try collect(folder, prefix, depth: 0, into: &keys)
        var found: [ListedObject] = []
        for key in keys.sorted() where after.map({ $0 < key }) ?? true {
            if found.count == limit { break }
            var status = stat()
            if lstat("\(root)/\(key.text)", &status) == 0 {
                let modifiedAt = Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
                found.append(ListedObject(key: key, bytes: Int(status.st_size), modifiedAt: modifiedAt))
            } else if errno != ENOENT {
                throw LocalFile.failure("look at", "\(root)/\(key.text)")
            }
        }
        return found
    }

    /// Objects lie a few folders deep; links that lead back would have no end.
    private static let deepest = 16
    /// What a store is looked through for.
    private static let mostObjects = 1 << 22

    /// Keys of files below `folder` that start with `prefix`; names that start with a dot are no objects, nor is a link.
    private func collect(_ folder: String, _ prefix: String, depth: Int, into keys: inout [ObjectKey]) throws(CheckpointError) {
        guard depth <= DirectoryListing.deepest, keys.count <= DirectoryListing.mostObjects else {
            throw CheckpointError(
                .invalid,
                "\(root)/\(folder) has more than \(DirectoryListing.mostObjects) files, or folders in more than \(DirectoryListing.deepest) others: it is no store of checkpoints; see to checkpoints.store"
            )
        }
        let path = folder.isEmpty ? root : "\(root)/\(folder)"
        for name in try DirectoryListing.names(in: path) {
            let key = folder.isEmpty ? name : "\(folder)/\(name)"
            let isWanted = Array(key.utf8).starts(with: prefix.utf8)
            guard isWanted || prefix.begins(with: key + "/") else { continue }
            var status = stat()
            guard stat("\(root)/\(key)", &status) == 0 else {
                if [ENOENT, ELOOP].contains(errno) { continue }
                throw LocalFile.failure("look at", "\(root)/\(key)")
            }
            if status.st_mode & S_IFMT == S_IFDIR {
                try collect(key, prefix, depth: depth + 1, into: &keys)
            } else if isWanted, lstat("\(root)/\(key)", &status) == 0, status.st_mode & S_IFMT == S_IFREG {
                keys.append(ObjectKey(known: key))
            }
        }
    }

    /// What lies in a folder, but for names that start with a dot; nothing when there is no folder.
    static func names(in folder: String) throws(CheckpointError) -> [String] {
        guard let directory = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw LocalFile.failure("list", folder)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                if errno != 0 { throw LocalFile.failure("list", folder) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.begins(with: ".") { names.append(name) }
        }
    }
}
