import Engine

/// How a schema registry is asked.
package struct RegistrySettings: Sendable {
    /// Whose interface it has.
    package enum Interface: Sendable {
        /// Confluent's, which Karapace, Redpanda and Apicurio (below `/apis/ccompat/v7`) have as well.
        case confluent
        /// Apicurio's own, below `/apis/registry/v2` or `/apis/registry/v3`.
        case apicurio
    }

    package enum Access: Sendable {
        case open
        case basic(user: String, password: String)
        case bearer(token: String)
    }

    /// Without user and password, and without a slash at its end.
    package var url: String
    package var interface = Interface.confluent
    package var access = Access.open
    /// A file of authorities' certificates in PEM to trust instead of the machine's.
    package var certificateAuthorityFile: String?
    /// A file with this side's certificate in PEM, for registries that ask for one; and its key's, unless that is in the same file.
    package var clientCertificateFile: String?
    package var clientKeyFile: String?
    /// Connecting, name resolution and TLS included.
    package var connectTimeout: Duration = .seconds(5)
    /// From the first byte of a request to the last of its answer.
    package var requestTimeout: Duration = .seconds(10)
    /// Between two tries while the registry is away: doubled from the one to the other.
    package var firstPause: Duration = .milliseconds(100)
    package var longestPause: Duration = .seconds(5)
    /// After so long a number that the registry did not know is asked for again, beside the work.
    package var missingAgainAfter: Duration = .seconds(60)

    package init(url: String) { self.url = url }
}
