extension Tombstone: Codable {
    private enum Key: String, CodingKey { case format, number, collected, sha256 }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        number = try fields.decode(ManifestNumber.self, forKey: .number)
        sha256 = try fields.decode(SHA256Digest.self, forKey: .sha256)
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(Manifest.format, forKey: .format)
        try fields.encode(number, forKey: .number)
        try fields.encode(true, forKey: .collected)
        try fields.encode(sha256, forKey: .sha256)
    }
}
