import Engine

/// A machine with a disk of its own.
final class SimulatedMachine {
    let number: Int
    var disk: SimulatedDisk
    /// False while its state directory is empty.
    var hasState = false

    init(_ number: Int) {
        self.number = number
        disk = SimulatedDisk(identity: "state-\(number)", hashKey: HashKey(first: UInt64(number), second: 1))
    }
}
