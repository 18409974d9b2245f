import Glibc

/// Descriptors that are held for the case that the process has no others: a probe can be answered with one of them.
struct DescriptorReserve: ~Copyable {
    private static let size = 8
    private var held: [Int32] = []

    init() { fill() }

    deinit { held.forEach { close($0) } }

    /// Takes back what was given away, as far as there are descriptors.
    mutating func fill() {
        while held.count < DescriptorReserve.size {
            let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return }
            held.append(descriptor)
        }
    }

    /// Gives one descriptor back to the process; false when none is left.
    mutating func release() -> Bool {
        guard let descriptor = held.popLast() else { return false }
        close(descriptor)
        return true
    }
}
