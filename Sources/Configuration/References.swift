import Engine
import Foundation

/// Replaces `${env:NAME}` and `${file:PATH}` in a value by what they stand for. `$${` is a `${` that is meant literally.
struct References {
    let environment: [String: String]

    /// A file that holds a secret is small.
    static let maximumFileSize = 64 << 10

    /// A value after its references, and what they stood for.
    struct Resolved {
        var text = ""
        var secrets: [Secret] = []
        /// The files that were read for it.
        var files: [String] = []
    }

    /// Why a reference stands for nothing; the text goes into the error and holds no secret.
    struct Unresolved: Error { let explanation: String }

    func resolve(_ text: String) throws(Unresolved) -> Resolved {
        var resolved = Resolved()
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            if let before = rest[..<start.lowerBound].rest(before: "$") {
                resolved.text += before + "${"
                rest = rest[start.upperBound...]
                continue
            }
            resolved.text += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstIndex(ofSign: "}") else {
                throw Unresolved(explanation: "a ${ has no closing }; for a literal ${ write $${")
            }
            let reference = rest[start.upperBound..<end]
            let value = try self.value(of: reference)
            if let path = reference.rest(after: "file:") { resolved.files.append(String(path)) }
            resolved.text += value
            resolved.secrets.append(Secret(value))
            rest = rest[rest.utf8.index(after: end)...]
        }
        resolved.text += rest
        return resolved
    }

    private func value(of reference: Substring) throws(Unresolved) -> String {
        if let name = reference.rest(after: "env:").map(String.init) {
            guard let value = environment[name] else {
                throw Unresolved(explanation: "the environment variable \(name) is not set")
            }
            return value
        }
        if let path = reference.rest(after: "file:") { return try contents(of: String(path)) }
        throw Unresolved(explanation: "expected ${env:NAME} or ${file:PATH}; for a literal ${ write $${")
    }

    /// A file's text without the line break at its end.
    private func contents(of path: String) throws(Unresolved) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Unresolved(explanation: "the file \(path) can't be read; it must exist and be readable by this user")
        }
        guard data.count <= References.maximumFileSize, var text = String(data: data, encoding: .utf8) else {
            throw Unresolved(explanation: "the file \(path) is no text of at most \(References.maximumFileSize >> 10) KiB in UTF-8")
        }
        while let last = text.unicodeScalars.last, last == "\n" || last == "\r" { text.unicodeScalars.removeLast() }
        return text
    }
}
