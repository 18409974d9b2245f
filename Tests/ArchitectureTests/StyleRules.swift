/// The rules that every file keeps.
enum StyleRules {
    static let longestFile = 500
    /// A type of so many lines has a file of its own.
    static let longType = 30
    static let vagueFolders: Set<String> = ["util", "utils", "utilities", "common", "types", "helpers", "misc", "shared"]

    /// Written in two halves, so that this file doesn't break its own rule.
    static let unfinished = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
    /// Places of somebody's machine: the repository stands alone.
    static let machinePaths = ["/wo" + "rk/", "/tm" + "p/w/", "../sha" + "red/", "/ro" + "ot/"]

    /// What a comment says that explains why a type may cross threads.
    private static let reasons = ["sendable", "thread", "lock", "immutable", "serial", "atomic", "mutex"]

    static func violations(in file: SourceFile) -> [String] {
        var found: [String] = []
        if file.lines.count > longestFile + 1 { found.append("\(file.path): has \(file.lines.count) lines, \(longestFile) is the limit") }
        for (index, line) in file.lines.enumerated() {
            for word in unfinished where line.split(whereSeparator: { !$0.isLetter }).contains(Substring(word)) {
                found.append("\(file.path):\(index + 1): \(word): finish it or leave it out")
            }
            for path in machinePaths where line.contains(path) {
                found.append("\(file.path):\(index + 1): names \(path), a place outside the repository")
            }
        }
        guard file.path.hasSuffix(".swift") else { return found }
        return found + typesElsewhere(in: file) + uncommentedSendables(in: file) + hashes(in: file) + characters(in: file)
    }

    /// Types that others may use live in the file of their name, or in `Name+Part.swift`; short ones may stand with what they belong to.
    private static func typesElsewhere(in file: SourceFile) -> [String] {
        guard file.path.hasPrefix("Sources/") || file.path.hasPrefix("tools/") else { return [] }
        let name = file.path.split(separator: "/").last?.split { $0 == "." || $0 == "+" }.first.map(String.init)
        var found: [String] = []
        var depth = 0
        var type: (name: String, start: Int)?
        for (index, line) in file.code.enumerated() {
            let declared = line.firstMatch(of: /^(?!.*\b(?:file)?private )[@\w() ]*\b(?:struct|class|enum|protocol|actor) (\w+)/)
            if depth == 0, let declared { type = (String(declared.1), index) }
            depth += line.count { $0 == "{" } - line.count { $0 == "}" }
            guard depth == 0, line.utf8.contains(UInt8(ascii: "}")), let ended = type else { continue }
            type = nil
            if ended.name != name, index - ended.start + 1 >= longType {
                found.append("\(file.path):\(ended.start + 1): \(ended.name) is long enough for a file of its name")
            }
        }
        return found
    }

    /// `@unchecked Sendable` without a comment beside or directly above that says why it is safe.
    private static func uncommentedSendables(in file: SourceFile) -> [String] {
        file.code.enumerated().compactMap { index, line in
            guard line.contains("@unchecked Sendable") else { return nil }
            var comment = file.lines[index].firstRange(of: "//").map { String(file.lines[index][$0.lowerBound...]) } ?? ""
            var above = index - 1
            while above >= 0 {
                let text = file.lines[above].drop { $0 == " " }
                guard text.hasPrefix("//") || text.hasPrefix("@") else { break }
                comment += text
                above -= 1
            }
            let lowered = comment.lowercased()
            return reasons.contains(where: lowered.contains)
                ? nil : "\(file.path):\(index + 1): @unchecked Sendable without a comment that says why it is safe"
        }
    }

    /// A Character takes in the marks that combine with it: whoever searches by them overlooks the sign that they are on.
    private static func characters(in file: SourceFile) -> [String] {
        guard file.path.hasPrefix("Sources/") || file.path.hasPrefix("tools/checkpoint/") else { return [] }
        let searches =
            /\.has(?:Prefix|Suffix)\b|\.split\(separator: "|ndex\(of: "|\.contains\("(?:\\.|[^\w"])"\)|components\(separatedBy|replacingOccurrences|\.replacing\("|trimmingCharacters|for character in|\.isNewline|\.isWhitespace|Character\(/
        return file.lines.enumerated().compactMap { index, line in
            guard !line.drop(while: { $0 == " " }).hasPrefix("//"), let found = line.firstMatch(of: searches) else { return nil }
            return "\(file.path):\(index + 1): \(found.output): search, split and escape by UTF-8, see ForeignText.swift"
        }
    }

    /// Swift's hashes differ from run to run: never in what is stored, sent or partitioned.
    private static func hashes(in file: SourceFile) -> [String] {
        guard file.path.hasPrefix("Sources/") else { return [] }
        return file.lines(with: ["hashValue", "Hasher("]).map {
            "\(file.path):\($0.line): \($0.word): use ByteHash or murmur2; Swift's hashes differ from run to run"
        }
    }
}
