/// What a request says before its body.
struct RequestHead: Sendable {
    var method = "GET"
    /// Without what follows a `?`.
    var path: String
    /// Of each header that is looked at, every value that was given.
    var hosts: [String] = []
    var authorizations: [String] = []
    var origins: [String] = []
}
