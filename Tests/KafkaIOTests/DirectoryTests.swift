import Engine
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import KafkaIO

@Suite("Reading a directory") struct DirectoryTests {
    private let partition = TopicPartition(topic: "t", partition: 0)

    private func directory(_ files: [String: String]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for (name, text) in files {
            let url = URL(fileURLWithPath: directory.file(name))
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        return directory
    }

    private func source(_ directory: TemporaryDirectory) throws -> DirectorySource {
        try DirectorySource(path: directory.path)
    }

    private func append(_ text: String, to path: String) throws {
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    @Test("a link, a pipe or a folder in a partition's place is refused, named, and not waited for", arguments: ["t.jsonl", "t/0.jsonl"])
    func noRegularFile(name: String) throws {
        let directory = try directory(["other.jsonl": "a\n", "t/none": ""])
        let path = directory.file(name)
        if name == "t.jsonl" { try FileManager.default.removeItem(atPath: directory.file("t")) }
        let ways: [(String, () -> Int32)] = [
            ("a link", { symlink(directory.file("other.jsonl"), path) }), ("a link to nothing", { symlink("/nowhere", path) }),
            ("a pipe", { mkfifo(path, 0o600) }), ("a folder", { mkdir(path, 0o700) }),
        ]
        for (what, make) in ways {
            #expect(make() == 0)
            let error = #expect(throws: SourceError.self, "\(what)") {
                try source(directory).open([SourceAssignment(partition: partition, position: nil)])
            }
            #expect(
                error?.kind == .invalid && error?.message.contains("\(path) is a link, a directory, a pipe or a device") == true,
                "\(what): \(error.map { "\($0)" } ?? "")")
            try FileManager.default.removeItem(atPath: path)
        }
    }

    @Test("a link in the place of a topic's folder is refused and named")
    func linkedFolder() throws {
        let directory = try directory(["other/0.jsonl": "a\n"])
        #expect(symlink("other", directory.file("t")) == 0)
        let error = #expect(throws: SourceError.self) { try source(directory).partitionCount(of: "t") }
        #expect(error?.message.contains("/t is a link, which is not followed") == true)
    }

    @Test("a last line that stays without its newline is told once, with its place, and read when it is whole")
    func partialLine() throws {
        let directory = try directory(["t.jsonl": "one\ntw"])
        let told = Mutex<[String]>([])
        let source = try DirectorySource(path: directory.path, partialLineLimit: .zero) { text in
            told.withLock { $0.append(text) }
        }
        let reader = try openReader(source, fresh([partition]))
        var seen = Seen()
        try waitUntil("it is told") {
            try seen.poll(reader)
            return told.withLock { !$0.isEmpty }
        }
        #expect(told.withLock { $0 }.first?.contains("t.jsonl: the last line, offset 1 at byte 4, has no newline") == true)
        try append("o", to: directory.file("t.jsonl"))
        for _ in 0..<5 { try seen.poll(reader) }
        try append("\n", to: directory.file("t.jsonl"))
        try waitUntil("it is read") {
            try seen.poll(reader)
            return seen.records[partition]?.count == 2
        }
        #expect(seen.records[partition]?.map(\.value) == ["one", "two"] && told.withLock { $0.count } == 1)
    }

    @Test(
        "whole lines are records in order, numbered from 0, without key and timestamp; an empty line is an empty value, and a byte order mark is none of the first"
    )
    func lines() throws {
        let directory = try directory(["t.jsonl": "\u{FEFF}{\"a\":1}\n\nnull\nlast\nhalf a l"])
        let source = try source(directory)
        #expect(try source.partitionCount(of: "t") == 1)
        let reader = try openReader(source, fresh([partition]))
        var seen = Seen()
        try seen.readToEnds(reader, of: [partition], maximumRecords: 2)
        #expect(seen.records[partition]?.map(\.value) == ["{\"a\":1}", "", "null", "last"])
        #expect(seen.offsets(partition) == [0, 1, 2, 3])
        #expect(seen.records[partition]?.allSatisfy { $0.key == nil && $0.timestamp == nil } == true)
        #expect(seen.ends[partition] == [4])
        #expect(source.ends(of: [partition], timeout: .seconds(5)) == [partition: 4])
    }

    @Test("a line that comes just as the end is found is read, though none follows it")
    func growthAtTheEnd() throws {
        let directory = try directory(["t.jsonl": ""])
        let reader = try openReader(try source(directory), fresh([partition]))
        let burst = 20
        var seen = Seen()
        for round in 1...3000 {
            let writer = Thread { [path = directory.file("t.jsonl")] in
                let file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
                for _ in 0..<burst { _ = write(file, "x\n", 2) }
                close(file)
            }
            writer.start()
            let limit = ContinuousClock.now + .seconds(20)
            while seen.total < round * burst, ContinuousClock.now < limit { try seen.poll(reader) }
            try #require(seen.total == round * burst, "after \(round) bursts")
        }
    }

    @Test("a folder's files are its topic's partitions")
    func folders() throws {
        let directory = try directory(["t/0.jsonl": "a\nb\n", "t/1.jsonl": "", "t/2.jsonl": "c\n", "u.jsonl": "z\n"])
        let source = try source(directory)
        let all = partitions("t", 3) + partitions("u", 1)
        #expect(try source.partitionCount(of: "t") == 3)
        var seen = Seen()
        try seen.readToEnds(openReader(source, fresh(all)), of: all)
        #expect(all.map { seen.values($0) } == [["a", "b"], [], ["c"], ["z"]])
        #expect(all.map { seen.ends[$0] } == [[2], [0], [1], [1]])
    }

    @Test("many lines, some longer than the buffer, come whole and once, whatever the size of a poll", arguments: [1, 7, 1000, 100_000])
    func large(maximumRecords: Int) throws {
        let values = (0..<5000).map { index in
            "\(index)" + String(repeating: "y", count: index == 2500 ? 3_000_000 : index % 900)
        }
        let directory = try directory(["t.jsonl": values.joined(separator: "\n") + "\n"])
        let source = try source(directory)
        let reader = try openReader(source, fresh([partition]))
        var seen = Seen()
        try seen.readToEnds(reader, of: [partition], maximumRecords: maximumRecords)
        #expect(seen.values(partition) == values)
        #expect(source.ends(of: [partition], timeout: .seconds(5)) == [partition: 5000])
    }

    @Test("appended lines are read after the end was told; a line still being written is waited for")
    func growth() throws {
        let directory = try directory(["t.jsonl": "a\nb"])
        let source = try source(directory)
        let reader = try openReader(source, fresh([partition]))
        var seen = Seen()
        try seen.readToEnds(reader, of: [partition])
        #expect(seen.values(partition) == ["a"])
        #expect(source.ends(of: [partition], timeout: .seconds(5)) == [partition: 1])
        try append("bb\nc\n", to: directory.file("t.jsonl"))
        try waitUntil("the new lines") {
            try seen.poll(reader)
            return seen.ends[partition]?.last == 3
        }
        #expect(seen.values(partition) == ["a", "bbb", "c"])
        #expect(source.ends(of: [partition], timeout: .seconds(5)) == [partition: 3])
    }

    @Test("reading goes on at the state's line, also after a last line that an earlier version read before it had its newline")
    func position() throws {
        let directory = try directory(["t.jsonl": "a\nb\nc\n"])
        var first = Seen()
        try first.readToEnds(openReader(source(directory), fresh([partition])), of: [partition])
        let records = try #require(first.records[partition])
        var seen = Seen()
        try seen.readToEnds(
            openReader(source(directory), [partition: SourcePosition(next: 1, last: records[0].fingerprint)]), of: [partition])
        #expect(seen.values(partition) == ["b", "c"])

        let end = SourcePosition(next: 3, last: records[2].fingerprint)
        try Data("a\nb\nc".utf8).write(to: URL(fileURLWithPath: directory.file("t.jsonl")))
        let reader = try openReader(source(directory), [partition: end])
        var rest = Seen()
        try rest.readToEnds(reader, of: [partition])
        #expect(rest.values(partition).isEmpty)
        try append("\nd\n", to: directory.file("t.jsonl"))
        try waitUntil("the line after it") {
            try rest.poll(reader)
            return !rest.values(partition).isEmpty
        }
        #expect(rest.values(partition) == ["d"] && rest.offsets(partition) == [3])
    }

    /// Earlier versions took the last line of a bounded run as it was, and a byte order mark for a part of the first line.
    @Test func whatEarlierVersionsReadIsRecognised() throws {
        func fingerprint(_ text: String, _ offset: Int64) -> RecordFingerprint {
            RecordFingerprint(offset: offset, timestamp: .min, checksum: Array(text.utf8).withUnsafeBytes { crc32c(ByteView($0)) })
        }
        func error(_ text: String, _ position: SourcePosition) throws -> String {
            let directory = try directory(["t.jsonl": text])
            return message { try source(directory).open([SourceAssignment(partition: partition, position: position)]) }
        }
        let half = SourcePosition(next: 2, last: fingerprint(#"{"id":"#, 1))
        #expect(try error("a\n{\"id\":7}\n", half).contains("of line 1 an earlier version has read the beginning"))
        #expect(try error("a\n{\"ix\":7}\n", half).contains("t[0] was recreated"))
        #expect(try error("a\n{\"id\":", half) == "no error")
        #expect(try error("\u{FEFF}a\nb\n", SourcePosition(next: 1, last: fingerprint("\u{FEFF}a", 0))) == "no error")
        #expect(try error("\u{FEFF}a\nb\n", SourcePosition(next: 1, last: fingerprint("a", 0))) == "no error")
    }

    @Test("of a line beyond every limit the beginning is handed over, and the lines around it whole")
    func endlessLine() throws {
        let directory = try directory(["t.jsonl": "a\n"])
        let path = directory.file("t.jsonl")
        for _ in 0..<9 { try append(String(repeating: "x", count: 8 << 20), to: path) }
        let source = try source(directory)
        let reader = try openReader(source, fresh([partition]))
        var seen = Seen()
        try seen.readToEnds(reader, of: [partition])
        #expect(seen.values(partition) == ["a"], "it may be half of one")
        try append("\nb\n", to: path)
        let whole = try openReader(self.source(directory), fresh([partition]))
        var all = Seen()
        try all.readToEnds(whole, of: [partition])
        #expect(all.values(partition).map(\.utf8.count) == [1, 64 << 20, 1])
        #expect(source.longestRecord.map { $0 < 64 << 20 } == true, "so that it is rejected, whatever else is taken")
    }

    @Test("a file that no longer fits the position is refused: shorter, other record, grown last line")
    func refused() throws {
        let directory = try directory(["t.jsonl": "a\nb\nc\n"])
        var seen = Seen()
        try seen.readToEnds(openReader(source(directory), fresh([partition])), of: [partition])
        let last = try #require(seen.records[partition]?[1].fingerprint)
        func error(_ position: SourcePosition) -> String {
            message { try source(directory).open([SourceAssignment(partition: partition, position: position)]) }
        }
        #expect(error(SourcePosition(next: 2, last: last)) == "no error")
        #expect(
            error(SourcePosition(next: 4, last: nil)).contains(
                "t[0] was shrunken or recreated: the state reads on at offset 4, the log ends at 3"))
        try Data("a\nx\nc\n".utf8).write(to: URL(fileURLWithPath: directory.file("t.jsonl")))
        #expect(error(SourcePosition(next: 2, last: last)).contains("t[0] was recreated: the record at offset 1"))
        try Data("a\n".utf8).write(to: URL(fileURLWithPath: directory.file("t.jsonl")))
        #expect(error(SourcePosition(next: 2, last: last)).contains("t[0] was shrunken or recreated"))
    }

    @Test("a file replaced or cut while it is read stops the reader")
    func replaced() throws {
        for replace in [true, false] {
            let directory = try directory(["t.jsonl": "a\nb\n"])
            let reader = try openReader(source(directory), fresh([partition]))
            var seen = Seen()
            try seen.readToEnds(reader, of: [partition])
            let path = directory.file("t.jsonl")
            if replace {
                try Data("a\nb\nc\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            } else {
                #expect(truncate(path, 2) == 0)
            }
            let error = message { try seen.poll(reader) }
            #expect(error.contains(replace ? "was replaced by another file" : "was cut to 2 bytes after 4 had been read"))
        }
    }

    @Test("what is missing or ambiguous is an error that says so")
    func layout() throws {
        #expect(
            message { _ = try DirectorySource(path: "/no/such/directory") }.contains(
                "/no/such/directory is no directory"))
        let directory = try directory([
            "gap/0.jsonl": "", "gap/2.jsonl": "", "odd/x.jsonl": "", "both.jsonl": "", "both/0.jsonl": "", "empty/readme": "",
        ])
        let source = try source(directory)
        func error(_ topic: String) -> String { message { _ = try source.partitionCount(of: topic) } }
        #expect(error("gap").contains("lacks \(directory.path)/gap/1.jsonl"))
        #expect(error("odd").contains("odd/x.jsonl names no partition"))
        #expect(error("both").contains("has both"))
        #expect(error("empty").contains("holds no partition of topic empty"))
        #expect(error("absent").contains("topic absent has neither"))
    }
}
