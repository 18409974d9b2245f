import Engine
import Foundation

/// An error in words for people: causes that the text names already are left out, the system's own are said plainly.
package func plainText(of error: any Error) -> String {
    switch error {
    case let failure as any Failure:
        guard let cause = failure.cause.map(plainText), !failure.message.contains(cause) else { return failure.message }
        return "\(failure.message) (cause: \(cause))"
    case let posix as POSIXError:
        return String(cString: strerror(posix.code.rawValue))
    case let cocoa as CocoaError:
        if let system = cocoa.userInfo[NSUnderlyingErrorKey] as? POSIXError { return plainText(of: system) }
        return cocoa.localizedDescription
    default:
        return "\(error)"
    }
}

/// `1 partition`, `2 partitions`
package func counted(_ number: Int, _ one: String, _ many: String) -> String { "\(number) \(number == 1 ? one : many)" }
