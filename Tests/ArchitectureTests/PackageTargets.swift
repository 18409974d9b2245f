import Foundation

/// What Package.swift says that targets are made of.
struct PackageTargets {
    private let dependencies: [String: Set<String>]
    /// The targets that the library is made of.
    let library: Set<String>

    /// Beside what targets say: the system's modules, and those of the compiler.
    private static let free = DependencyRules.system.union(["FoundationNetworking", "PackageDescription", "Swift", "Testing"])

    init() throws {
        let text = try String(contentsOfFile: "\(Repository.root)/Package.swift", encoding: .utf8)
        var found: [String: Set<String>] = [:]
        for target in text.split(separator: /\.(target|executableTarget|testTarget)\(/).dropFirst() {
            guard let name = target.firstMatch(of: /name:\s*"([\w-]+)"/)?.1 else { continue }
            let listed = target.firstMatch(of: /dependencies:\s*\[((?:[^\[\]]|\[[^\]]*\])*)\]/)?.1 ?? ""
            let names = listed.matches(of: /(package:\s*)?"([\w-]+)"/).filter { $0.1 == nil }.map { String($0.2) }
            found[String(name)] = Set(names)
        }
        dependencies = found
        let listed = text.firstMatch(of: /\.library\([^\[]*\[([^\]]*)\]/)?.1 ?? ""
        library = Set(listed.matches(of: /"(\w+)"/).map { String($0.1) })
    }

    /// The name of the target that a file belongs to; nil where it is a package's or nobody's.
    private func target(of path: String) -> String? {
        let parts = path.split(separator: "/").map(String.init)
        if parts.first == "Examples" { return parts.firstIndex(of: "Sources").map { parts[$0 + 1] } }
        return parts.count > 2 ? parts[1] : nil
    }

    func violations(in file: SourceFile) -> [String] {
        guard let target = target(of: file.path) else { return [] }
        guard let own = dependencies[target] else { return ["\(file.path): Package.swift has no target \(target)"] }
        let allowed = own.union(PackageTargets.free)
        return file.imports.filter { !allowed.contains($0.module) }.map {
            "\(file.path):\($0.line): \(target) does not say that it depends on \($0.module)"
        }
    }

    /// `public` where nobody outside of the package can see it: there it says what it can't mean.
    func publicOutsideOfTheLibrary(in file: SourceFile) -> [String] {
        guard let target = target(of: file.path), !library.contains(target) else { return [] }
        // At the beginning of a declaration: elsewhere the words are names.
        let modifiers =
            /^ *(?:@\w+(?:\([^)]*\))? +|(?:final|static|override|package|private)(?:\(set\))? +)*(?:public|open)(?:\(set\))? +[@a-z]/
        return file.lines(with: ["public", "open"]).filter { file.code[$0.line - 1].contains(modifiers) }.map {
            "\(file.path):\($0.line): \($0.word) is for the library's targets; between targets it is package"
        }
    }
}
