/// Runs synchronous code that waits, beside a simulation in virtual time: while it runs, nothing else does. So blocking code
/// that was not written for a simulation can be part of one, and a seed replays it.
package protocol CallRunner: AnyObject {
    /// Runs `body` until it waits for the first time, or ends. Not to be called from within a body.
    func begin(_ body: @escaping () -> Void)
    /// Called from within a body: hands `arrange` what makes it go on, and returns when that was called.
    func wait(_ arrange: (_ goOn: @escaping () -> Void) -> Void)
}
