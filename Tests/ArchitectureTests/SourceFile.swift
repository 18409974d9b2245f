import Foundation

/// A file of the repository, as the rules look at it.
struct SourceFile {
    /// Below the repository's root, such as `Sources/Engine/Ports/Failure.swift`.
    let path: String
    let lines: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The code alone: comments and the contents of string literals are gone, lines keep their numbers.
    var code: [String] {
        var stripped: [String] = []
        var isInText = false
        var commentDepth = 0
        for line in lines {
            let result = SourceFile.strip(line, isInText: &isInText, commentDepth: &commentDepth)
            stripped.append(result)
        }
        return stripped
    }

    private static func strip(_ line: String, isInText: inout Bool, commentDepth: inout Int) -> String {
        var result = ""
        var rest = line[...]
        var isInString = false
        while let character = rest.first {
            if commentDepth > 0 {
                if rest.hasPrefix("*/") {
                    commentDepth -= 1
                    rest = rest.dropFirst(2)
                } else {
                    rest = rest.dropFirst()
                }
            } else if rest.hasPrefix("\"\"\"") {
                isInText.toggle()
                rest = rest.dropFirst(3)
            } else if isInText {
                rest = rest.dropFirst()
            } else if isInString {
                if character == "\\" {
                    rest = rest.dropFirst(2)
                    continue
                }
                if character == "\"" {
                    isInString = false
                    result.append("\"")
                }
                rest = rest.dropFirst()
            } else if rest.hasPrefix("//") {
                break
            } else if rest.hasPrefix("/*") {
                commentDepth += 1
                rest = rest.dropFirst(2)
            } else {
                if character == "\"" { isInString = true }
                result.append(character)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    /// Modules that the file imports, with the lines of the imports.
    var imports: [(module: String, line: Int)] {
        code.enumerated().compactMap { index, line in
            let words = line.split { $0 == " " || $0 == "\t" || $0 == ";" }
            guard let keyword = words.firstIndex(of: "import"),
                words[..<keyword].allSatisfy({ $0.hasPrefix("@") || $0.hasSuffix("internal") || $0 == "public" || $0 == "private" })
            else { return nil }
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
            guard let module = words[(keyword + 1)...].first(where: { !kinds.contains($0) }) else { return nil }
            return (String(module.split(separator: ".")[0]), index + 1)
        }
    }

    /// Lines of code in which one of these words stands by itself.
    func lines(with words: [String]) -> [(word: String, line: Int)] {
        code.enumerated().flatMap { index, line in
            words.filter { SourceFile.contains(line, word: $0) }.map { ($0, index + 1) }
        }
    }

    /// True when `word` occurs and is no part of a longer name; a word that ends in a sign is a prefix of a call.
    private static func contains(_ line: String, word: String) -> Bool {
        var rest = line[...]
        while let range = rest.firstRange(of: word) {
            let before = range.lowerBound > line.startIndex ? line[line.index(before: range.lowerBound)] : " "
            let after = range.upperBound < line.endIndex ? line[range.upperBound] : " "
            let startsName = word.first?.isLetter != true || !(before.isLetter || before.isNumber || before == "_")
            let endsName = word.last?.isLetter != true || !(after.isLetter || after.isNumber || after == "_")
            if startsName && endsName { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }
}

/// The repository that the tests were built from.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    /// Files below a folder whose names end in one of `endings`; an empty ending takes files without one.
    static func files(below folder: String, endings: Set<String>) throws -> [SourceFile] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(folder)")
        return try paths.sorted().compactMap { path in
            let name = "\(folder)/\(path)"
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: "\(root)/\(name)", isDirectory: &isFolder), !isFolder.boolValue,
                endings.contains(URL(fileURLWithPath: name).pathExtension)
            else { return nil }
            return SourceFile(path: name, text: try String(contentsOfFile: "\(root)/\(name)", encoding: .utf8))
        }
    }

    static func folders(below folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(folder)").filter { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(root)/\(folder)/\(path)", isDirectory: &isFolder) && isFolder.boolValue
        }.map { "\(folder)/\($0)" }
    }
}
