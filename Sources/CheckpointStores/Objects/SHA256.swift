import CCrypto

/// A SHA-256 under way, through OpenSSL's libcrypto.
package struct SHA256: ~Copyable {
    private let context: OpaquePointer

    package init() {
        guard let created = EVP_MD_CTX_new() else { fatalError("out of memory for a SHA-256") }
        context = created
        // Fails only in a libcrypto that was configured without SHA-256, which nothing here can work with.
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { fatalError("libcrypto has no SHA-256") }
    }

    deinit { EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { fatalError("libcrypto's SHA-256 failed") }
    }

    /// The hash of everything given so far; nothing may be added after it.
    package consuming func finish() -> SHA256Digest {
        var bytes = [UInt8](repeating: 0, count: 32)
        guard EVP_DigestFinal_ex(context, &bytes, nil) == 1 else { fatalError("libcrypto's SHA-256 failed") }
        return SHA256Digest(bytes: bytes)
    }

    package static func of(_ bytes: [UInt8]) -> SHA256Digest {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }
}
