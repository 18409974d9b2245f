import Engine

/// What to see to when the schema registry can't be used.
enum RegistryCure {
    /// Behind what went wrong.
    static func words(for error: any Error) -> String {
        switch (error as? any Failure)?.kind {
        case .retry: ". See that the registry runs, that this machine reaches it, and that input.registry.url and input.registry.api are its own (`curl URL/subjects` shows whether one answers there)"
        case .denied: ". Set input.registry.username and input.registry.password, or input.registry.token, to what it takes, or have this user given the right to read schemas"
        default: ""
        }
    }
}
