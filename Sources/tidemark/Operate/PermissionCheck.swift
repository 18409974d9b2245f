import Configuration
import Foundation

/// Looks whether others on this machine may read, or change, what holds secrets or the job's state.
struct PermissionCheck {
    let configuration: JobConfiguration
    let report: CheckReport

    private static let anything: mode_t = 0o077
    /// A store may be for its group to read.
    private static let anythingButGroupReading: mode_t = 0o027

    func run() {
        for file in configuration.secretFiles {
            warn(of: "secret file", file, PermissionCheck.anything) {
                "its secret is not one any more for who reads it: chmod 600 \($0), and change the secret if others have read it"
            }
        }
        warn(of: "state directory", configuration.state.directory, PermissionCheck.anything) {
            "a run takes that from them; before it does: chmod 700 \($0)"
        }
        if case .directory(let path) = configuration.checkpoints.store {
            warn(of: "checkpoint store", path, PermissionCheck.anythingButGroupReading) {
                "checkpoints hold all of the job's state, and who may write there can take the job away: chmod g-w,o-rwx \($0)"
            }
        }
    }

    private func warn(of what: String, _ path: String, _ bits: mode_t, _ advice: (String) -> String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & bits != 0 else { return }
        let others = status.st_mode & bits & 0o022 == 0 ? "read" : "change"
        report.warning(
            what, "others on this machine may \(others) \(path) (mode \(String(status.st_mode & 0o777, radix: 8))): \(advice(path))")
    }
}
