import Engine

extension RunInbox {
    /// It says that another worker has the job: whoever hears it has to end.
    var isOfAnotherWorkersJob: Bool {
        [error, claim?.error, checkpoint?.error].contains { ($0 as? any Failure)?.kind == .fenced }
    }
}

extension Result {
    fileprivate var error: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
