import Engine

/// A name for a checkpoint, which protects it from collection.
package struct CheckpointTag: Hashable, Sendable {
    package let name: String
    package let number: ManifestNumber
}

/// `tags/<name>.json`.
struct TagDocument: Codable {
    var format = Manifest.format
    var name: String
    var manifest: ManifestNumber

    /// A longer one is damaged.
    static let longest = 64 << 10
}

extension CheckpointStore {
    /// Tags are listed so many at a time.
    static let listedAtATime = 1000
    /// More objects than that no listing has.
    static let mostListed = 1 << 22

    /// Names a checkpoint. Throws `invalid` for a bad name or, unless `replacing`, one that is taken by another checkpoint;
    /// `missing` when the checkpoint is not there or is collected at the same time.
    package func tag(_ number: ManifestNumber, as name: String, replacing: Bool = false) throws(CheckpointError) {
        let key = try layout.tag(name)
        _ = try live(number)
        let bytes = try CheckedJSON.encode(TagDocument(name: name, manifest: number))
        let outcome = try objects.put(.bytes(bytes), at: key, onlyIfAbsent: !replacing)
        if outcome == .exists {
            let taken = try taggedNumber(name)
            guard taken == number else {
                throw CheckpointError(.invalid, "the tag \(name) is taken by checkpoint \(taken); remove it first, or replace it")
            }
        }
        do throws(CheckpointError) {
            // A collection that didn't see the tag in time has left its tombstone by now.
            _ = try live(number)
        } catch {
            if error.kind == .missing { try objects.delete(key) }
            throw error
        }
    }

    /// Throws kind `missing` when there is no such tag.
    package func untag(_ name: String) throws(CheckpointError) {
        let key = try layout.tag(name)
        guard try objects.get(key, limit: TagDocument.longest) != nil else { throw try isMissing(tag: name) }
        try objects.delete(key)
    }

    /// All tags, by name. Throws kind `corrupt` for a damaged one, as what it protects isn't known then. What has a name that no
    /// tag can have protects nothing: it is told to `findings`, once.
    package func tags() throws(CheckpointError) -> [CheckpointTag] {
        var tags: [CheckpointTag] = []
        for object in try listAll(layout.tagFolder) {
            let bytes = object.key.text.utf8.dropFirst(layout.tagFolder.utf8.count)
            guard let name = CheckpointStore.tagName(bytes) else {
                note(
                    "\(objects.location)/\(layout.tagFolder) has an object that is no tag, \(CheckpointStore.shown(bytes)): it protects nothing; remove it"
                )
                continue
            }
            if let number = try number(taggedAs: name) { tags.append(CheckpointTag(name: name, number: number)) }
        }
        return tags
    }

    /// The name of a tag in a key's last part; nil when no tag has it.
    private static func tagName(_ part: Substring.UTF8View) -> String? {
        let end = Array(".json".utf8)
        guard part.suffix(end.count).elementsEqual(end), let name = String(part.dropLast(end.count)), TagName.isValid(name[...]) else {
            return nil
        }
        return name
    }

    /// Somebody else's name, for a message: printable ASCII, everything else as its byte.
    private static func shown(_ name: Substring.UTF8View) -> String {
        "\""
            + name.prefix(100).map {
                (32..<127).contains($0) ? String(UnicodeScalar($0)) : "\\x" + String(UInt16($0) + 256, radix: 16).dropFirst()
            }.joined() + "\""
    }

    func taggedNumber(_ name: String) throws(CheckpointError) -> ManifestNumber {
        guard let number = try number(taggedAs: name) else { throw try isMissing(tag: name) }
        return number
    }

    private func number(taggedAs name: String) throws(CheckpointError) -> ManifestNumber? {
        let key = try layout.tag(name)
        guard let bytes = try objects.get(key, limit: TagDocument.longest) else { return nil }
        let document = try CheckedJSON.decode(TagDocument.self, from: bytes, at: place(of: key))
        guard document.name == name else {
            throw CheckpointError(.corrupt, "\(place(of: key)) is damaged: it is the tag \(document.name); remove it and tag anew")
        }
        return document.manifest
    }

    func listAll(_ prefix: String) throws(CheckpointError) -> [ListedObject] {
        var all: [ListedObject] = []
        while true {
            let page = try objects.list(prefix: prefix, after: all.last?.key, limit: CheckpointStore.listedAtATime)
            all += page
            guard all.count <= CheckpointStore.mostListed else {
                throw CheckpointError(
                    .invalid,
                    "\(objects.location)/\(prefix) has more than \(CheckpointStore.mostListed) objects: it is no store of checkpoints, or somebody answers in its place; see to checkpoints.store and AWS_ENDPOINT_URL"
                )
            }
            if page.count < CheckpointStore.listedAtATime { return all }
        }
    }
}
