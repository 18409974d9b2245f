import Engine
import Foundation

/// The exit codes that scripts rely on.
package enum ExitStatus: Int32, Sendable {
    case done = 0
    case error = 1
    case differs = 2
    case partial = 3
    case corrupt = 4
    case incompatible = 5
    case notFound = 10
    case locked = 11
    case denied = 12
    case usage = 64
    case stoppedBySecondSignal = 130

    /// The code of an error.
    package init(_ error: any Error) {
        guard !ExitStatus.isDenied(error) else {
            self = .denied
            return
        }
        guard let failure = error as? any Failure else {
            self = .error
            return
        }
        self =
            switch failure.kind {
            case .corrupt: .corrupt
            case .incompatible: .incompatible
            case .missing: .notFound
            case .locked: .locked
            case .denied: .denied
            case .retry, .fenced, .invalid, .bug: .error
            }
    }

    /// The system refused a file or a directory to this user: what lies at the bottom of the error says so.
    private static func isDenied(_ error: any Error) -> Bool {
        switch error {
        case let failure as any Failure: failure.cause.map(isDenied) ?? false
        case let posix as POSIXError: posix.code == .EACCES || posix.code == .EPERM
        case let cocoa as CocoaError: cocoa.code == .fileReadNoPermission || cocoa.code == .fileWriteNoPermission
        default: false
        }
    }
}
