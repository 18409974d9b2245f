import Engine

/// A store of whole objects that many processes use, and that goes on whatever becomes of them.
///
/// What it guarantees: an object appears whole or not at all and stays, what was put is seen by whatever begins after that,
/// and of all puts of a key that must not be there one is the first. Its faults: a request is lost, or lands although its
/// answer is lost, or lands long after its client gave up; it says of a put that there is one already, and that is the one;
/// bytes are read damaged; it is down, or a process can't reach it.
package final class SimulatedObjects {
    /// In percent of requests.
    package struct Faults {
        package var requestLost = 0
        package var answerLost = 0
        package var landsLate = 0
        package var saysExists = 0
        package var damagedRead = 0
        /// In milliseconds: how long an answer takes at most.
        package var slowest = 50

        package init() {}
    }

    package struct Object {
        package let bytes: [UInt8]
        /// In virtual time.
        package let modifiedAt: Duration
    }

    /// For how long a client asks again before it gives up.
    private static let patience = Duration.seconds(3)
    /// How often what changes nothing is asked before that.
    private static let tries = 3
    /// After being sent, a request lands no later than this.
    private static let latest = 20_000

    /// By key.
    package private(set) var objects: [String: Object] = [:]
    /// How many puts ever landed, for who looks whether there is something new.
    package private(set) var changes = 0
    package internal(set) var isDown = false
    private let time: VirtualTime
    private let faults: Faults
    private var random: SeededRandom
    /// How often something happened that is rare.
    private(set) var counts: [String: Int] = [:]

    private let createIsExclusive: Bool

    /// `createIsExclusive`: true, but for a store that is to be found out.
    init(time: VirtualTime, faults: Faults, random: SeededRandom, createIsExclusive: Bool = true) {
        self.createIsExclusive = createIsExclusive
        self.time = time
        self.faults = faults
        self.random = random
    }

    private enum Fate { case lost, answerLost, late, fine }

    private func fate(_ process: SimulatedProcess) -> Fate {
        guard !isDown, !process.isCutOff else { return .lost }
        let chance = random.number(in: 1...100)
        if chance <= faults.requestLost { return .lost }
        if chance <= faults.requestLost + faults.answerLost { return .answerLost }
        return chance <= faults.requestLost + faults.answerLost + faults.landsLate ? .late : .fine
    }

    private func noAnswer(_ process: SimulatedProcess, _ what: String) throws -> Never {
        counts["store requests without an answer", default: 0] += 1
        try process.pause(SimulatedObjects.patience)
        throw SimulatedFailure(.retry, "no answer: \(what)")
    }

    /// Whether an object was created, and not one there already.
    package func put(_ bytes: [UInt8], at key: String, onlyIfAbsent: Bool, by process: SimulatedProcess) throws -> Bool {
        let fate = fate(process)
        if fate == .lost { try noAnswer(process, "put \(key)") }
        if fate == .late { counts["late puts", default: 0] += 1 }
        let delay = fate == .late ? random.milliseconds(in: 3_001...SimulatedObjects.latest) : random.milliseconds(in: 1...faults.slowest)
        var created: Bool?
        // What was sent lands whatever becomes of the process.
        time.after(delay) { [self] in
            guard !isDown else { return }
            created = land(bytes, at: key, onlyIfAbsent: onlyIfAbsent)
        }
        if fate != .late { try process.pause(delay + .milliseconds(1)) }
        guard fate == .fine, let created else { try noAnswer(process, "put \(key)") }
        guard created, onlyIfAbsent, random.percent(faults.saysExists) else { return created }
        counts["puts that found themselves", default: 0] += 1
        return false
    }

    private func land(_ bytes: [UInt8], at key: String, onlyIfAbsent: Bool) -> Bool {
        if onlyIfAbsent, createIsExclusive, objects[key] != nil {
            counts["lost races", default: 0] += 1
            return false
        }
        objects[key] = Object(bytes: bytes, modifiedAt: time.now)
        changes += 1
        return true
    }

    /// An object's bytes; nil when there is none.
    package func get(_ key: String, by process: SimulatedProcess) throws -> [UInt8]? {
        try answer(process, "get \(key)") { [self] in
            guard var bytes = objects[key]?.bytes, !bytes.isEmpty, random.percent(faults.damagedRead) else { return objects[key]?.bytes }
            counts["damaged reads", default: 0] += 1
            bytes[random.number(in: 0...(bytes.count - 1))] ^= 1 << UInt8(random.number(in: 0...7))
            return bytes
        }
    }

    /// Up to `limit` keys that start with `prefix` and come after `after`, in the order of their bytes.
    package func list(prefix: String, after: String?, limit: Int, by process: SimulatedProcess) throws -> [(key: String, object: Object)] {
        try answer(process, "list \(prefix)") { [self] in
            let found = objects.filter { object in object.key.begins(with: prefix) && (after.map { precedes($0, object.key) } ?? true) }
            return found.sorted { precedes($0.key, $1.key) }.prefix(limit).map { ($0.key, $0.value) }
        }
    }

    private func precedes(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }

    package func delete(_ key: String, by process: SimulatedProcess) throws {
        try answer(process, "delete \(key)") { [self] in objects[key] = nil }
    }

    private func answer<Value>(_ process: SimulatedProcess, _ what: String, _ look: () -> Value) throws -> Value {
        for _ in 1...SimulatedObjects.tries {
            let isLost = fate(process) != .fine
            try process.pause(random.milliseconds(in: 1...faults.slowest))
            if !isLost && !isDown { return look() }
        }
        try noAnswer(process, what)
    }
}
