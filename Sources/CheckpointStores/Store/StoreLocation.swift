/// Addresses of stores as users give them.
enum StoreLocation {
    /// True for an address with a scheme that may have a user or password in front of its host: such as `s3://user:secret@bucket`.
    /// A secret may hold a slash, so that only an @ in what can't be a part of a prefix is harmless.
    static func mayHoldSecret(_ location: String) -> Bool {
        let bytes = Array(location.utf8)
        guard let scheme = bytes.firstRange(of: Array("://".utf8)) else { return false }
        let rest = bytes[scheme.upperBound...]
        guard let at = rest.firstIndex(of: UInt8(ascii: "@")) else { return false }
        return !rest[..<at].contains(UInt8(ascii: "/")) || rest.prefix { $0 != UInt8(ascii: "/") }.contains(UInt8(ascii: ":"))
    }

    /// Repeats nothing of it.
    static let holdsSecret = CheckpointError(
        .invalid,
        "the store's location holds a user or a password, which would be shown and logged: write s3://bucket/prefix, and give the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )
}
