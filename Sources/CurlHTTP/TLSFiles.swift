/// What a connection over TLS trusts, and what it shows of itself: paths of files in PEM, which are read anew for new connections.
package struct TLSFiles: Sendable, Equatable {
    /// Certificates of authorities to trust instead of the machine's.
    package var authorities: String?
    /// This side's certificate, for servers that ask for one.
    package var certificate: String?
    /// The certificate's key; nil where it is in the certificate's file.
    package var key: String?

    package init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
        self.authorities = authorities
        self.certificate = certificate
        self.key = key
    }
}
