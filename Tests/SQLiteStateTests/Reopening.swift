import TestSupport

@testable import SQLiteState

/// Opens a directory that this process has just closed. A child process that another test is starting at this moment
/// has a copy of the lock's descriptor until it runs its own program, so being locked is given a little time to pass.
func reopened(_ directory: String, settings: SQLiteStateStore.Settings = .init()) throws -> SQLiteStateStore {
    var store: SQLiteStateStore?
    try waitUntil("the directory \(directory) is free", within: 10) {
        do {
            store = try SQLiteStateStore(directory: directory, settings: settings)
            return true
        } catch let error as StateError where error.kind == .locked {
            return false
        }
    }
    return store!
}
