/// A request that got no complete response.
package struct HTTPError: Error, CustomStringConvertible, Sendable {
    package enum Kind: Sendable, Equatable {
        /// Not one byte of the request left this machine: the other side can't have acted on it.
        case nothingSent
        /// The other side may have received the request, acted on it, or be about to.
        case unknown
        /// The caller's `isCancelled` said so; what the other side has done is unknown.
        case cancelled
        /// The request itself can't be sent: a malformed URL, a line break in a header.
        case invalidRequest
    }

    package let kind: Kind
    package let message: String
    /// The other side's certificate is not taken: it is there, and trying again does not help by itself.
    package let isOfCertificate: Bool

    package init(_ kind: Kind, _ message: String, isOfCertificate: Bool = false) {
        self.kind = kind
        self.message = message
        self.isOfCertificate = isOfCertificate
    }

    package var description: String { message }
}
