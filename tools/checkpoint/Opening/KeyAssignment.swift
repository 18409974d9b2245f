import CommandLineParts
import Engine
import Foundation
import SQLiteState

/// A file that says in which partition each key is: a line of JSON a key, `{"key":"anna","partition":3}`, keys as the tool
/// writes them.
struct KeyAssignment {
    private struct Line: Decodable {
        let key: String
        let partition: Int
    }

    let path: String
    /// How many partitions there are.
    let partitions: Int

    /// Reads the file, a line at a time.
    func keys() throws -> ListedKeys {
        guard let file = fopen(path, "r") else {
            throw ToolError(errno == ENOENT ? .missing : .denied, "can't open \(path): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        let keys = try ListedKeys(scratch: try Scratch.make())
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        let decoder = JSONDecoder()
        try keys.add { add in
            var number = 0
            while true {
                let length = getline(&line, &capacity, file)
                guard length > 0, let line else { break }
                number += 1
                let bytes = Data(bytes: line, count: length).drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed()
                guard !bytes.isEmpty else { continue }
                let read = try? decoder.decode(Line.self, from: Data(bytes))
                guard let read, let key = StateText.bytes(ofKey: read.key), (0..<partitions).contains(read.partition) else {
                    throw ToolError(
                        .invalid,
                        #"\#(path), line \#(number): expected {"key":"…","partition":0 to \#(partitions - 1)}, found \#(String(decoding: bytes.prefix(80), as: UTF8.self).printable)"#
                    )
                }
                try add(key, read.partition)
            }
        }
        guard ferror(file) == 0 else { throw ToolError(.invalid, "reading \(path) failed: \(String(cString: strerror(errno)))") }
        return keys
    }
}
