import Yams

/// Reads the settings of a YAML file: one for each scalar, its key the path to it, joined by dots.
///
/// `input: {kafka: {start: latest}}` and `input.kafka.start: latest` say the same.
struct YAMLSettings {
    private(set) var settings: [Setting] = []
    private(set) var problems: [ConfigurationError.Problem] = []
    private let file: String
    private var lines: [String: Int] = [:]

    /// A file with more is no configuration; it also ends aliases that multiply.
    static let maximumSettings = 1000
    static let maximumDepth = 16

    init(_ text: String, file: String) {
        self.file = file
        do {
            guard let root = try Parser(yaml: text).singleRoot() else { return }
            guard case .mapping = root else {
                if root.isNull { return }
                report(line: root.mark?.line ?? 1, key: "", "expected keys and values, such as \"job: {id: fintech}\"")
                return
            }
            read(root, path: "", line: root.mark?.line ?? 1, depth: 0)
        } catch let error as YamlError {
            reportSyntax(error)
        } catch {
            report(line: 1, key: "", "is not YAML: \(error)")
        }
    }

    private mutating func read(_ node: Node, path: String, line: Int, depth: Int) {
        guard settings.count < YAMLSettings.maximumSettings, depth < YAMLSettings.maximumDepth else {
            if problems.last?.key != "" {
                report(line: line, key: "", "has more than \(YAMLSettings.maximumSettings) settings or \(YAMLSettings.maximumDepth) levels")
            }
            return
        }
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                let line = key.mark?.line ?? line
                guard let name = key.scalar?.string, !name.isEmpty else {
                    report(line: line, key: path, "expected a name as the key")
                    continue
                }
                read(value, path: path.isEmpty ? name : "\(path).\(name)", line: line, depth: depth + 1)
            }
        case .scalar(let scalar):
            if let earlier = lines.updateValue(line, forKey: path) {
                report(line: line, key: path, "is given twice; the first is in line \(earlier)")
            }
            settings.append(Setting(key: path, text: scalar.string, origin: .file(file, line: line), isNull: node.isNull))
        case .sequence:
            report(line: line, key: path, "expected a single value, found a list")
        case .alias:
            report(line: line, key: path, "refers to an anchor that isn't there")
        }
    }

    /// The library's own text of an error quotes the line, which may hold a password: only its place and kind are kept.
    private mutating func reportSyntax(_ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            report(line: mark.line, key: "", "is not YAML: \(problem) (column \(mark.column))")
        case .duplicatedKeysInMapping(let duplicates, let context):
            report(line: context.mark.line, key: "", "the same key is given twice: \(duplicates.sorted().joined(separator: ", "))")
        case .reader(let problem, let offset, _, _):
            report(line: 1, key: "", "is not YAML: \(problem)\(offset.map { " (byte \($0))" } ?? "")")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            report(line: 1, key: "", "is not YAML in UTF-8")
        }
    }

    private mutating func report(line: Int, key: String, _ explanation: String) {
        problems.append(.init(place: "\(file):\(line)", key: key, explanation: explanation))
    }
}

extension Node {
    /// Written as nothing, `~` or `null`, without quotes.
    fileprivate var isNull: Bool {
        guard let scalar, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}
