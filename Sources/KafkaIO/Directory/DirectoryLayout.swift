import Engine
import Foundation

/// A directory that stands for a Kafka cluster:
///
///     <directory>/<topic>.jsonl               one partition, 0
///     <directory>/<topic>/<partition>.jsonl   partitions 0 to n-1, none missing
///
/// A file is a partition's log: a line is a record's value, its number (from 0) the offset.
package struct DirectoryLayout: Sendable {
    package let path: String

    /// Throws when the directory is not there.
    package init(path: String) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw SourceError(.missing, "\(path) is no directory: name one that holds <topic>.jsonl or <topic>/<partition>.jsonl")
        }
        self.path = path
    }

    /// The topics that have a file or a folder, in the order of their names.
    package func topics() throws -> [String] {
        let names = try entries(of: path).compactMap { name -> String? in
            if let topic = name.rest(before: ".jsonl") { return String(topic) }
            return isDirectory(path + "/" + name) ? name : nil
        }
        return Set(names).sorted()
    }

    /// The files of a topic in the order of its partitions.
    package func files(of topic: String) throws -> [String] {
        let (single, folder) = ("\(path)/\(topic).jsonl", "\(path)/\(topic)")
        guard kind(of: folder) != S_IFLNK else {
            throw SourceError(
                .invalid,
                "\(folder) is a link, which is not followed: put the topic's folder itself there, or name the directory that it lies in")
        }
        // Whatever it is: that it is no file is said when it is opened.
        switch (kind(of: single) != nil, isDirectory(folder)) {
        case (true, false): return [single]
        case (false, true): return try partitionFiles(in: folder, of: topic)
        case (true, true):
            throw SourceError(.invalid, "topic \(topic) has both \(single) and \(folder)/: keep one of them")
        case (false, false):
            let there = try topics()
            throw SourceError(
                .missing,
                "topic \(topic) has neither \(single) nor \(folder)/0.jsonl (there: \(there.isEmpty ? "no topics" : there.prefix(10).joined(separator: ", "))): add the file (an empty one is an empty topic) or correct input.topicPrefix"
            )
        }
    }

    private func partitionFiles(in folder: String, of topic: String) throws -> [String] {
        let numbers = try entries(of: folder).compactMap { $0.rest(before: ".jsonl") }.map { text in
            guard let number = Int(text), number >= 0, String(number) == text else {
                throw SourceError(.invalid, "\(folder)/\(text).jsonl names no partition: expected <number>.jsonl, such as 0.jsonl")
            }
            return number
        }.sorted()
        guard !numbers.isEmpty else {
            throw SourceError(.missing, "\(folder) holds no partition of topic \(topic): expected 0.jsonl, 1.jsonl, …")
        }
        for (expected, number) in numbers.enumerated() where expected != number {
            throw SourceError(
                .missing,
                "topic \(topic) lacks \(folder)/\(expected).jsonl while there is \(number).jsonl: partitions are numbered from 0 without gaps"
            )
        }
        return numbers.map { "\(folder)/\($0).jsonl" }
    }

    private func entries(of directory: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw SourceError(.invalid, "\(directory) can't be listed: see to its rights", cause: error)
        }
    }

    private func isDirectory(_ path: String) -> Bool { kind(of: path) == S_IFDIR }

    /// What stands under a name, as the bits of its mode say; nil when nothing does. Links are not followed.
    private func kind(of path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }
}
