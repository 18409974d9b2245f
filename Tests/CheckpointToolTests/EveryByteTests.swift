import Foundation
import Testing

@testable import checkpoint

@Suite("Every byte of a store flipped, every prefix cut: verify and restore refuse with exit 4, naming the object", .serialized)
struct EveryByteTests {
    /// Of a base or delta every so many bytes are flipped, and so many cut off: 127, which divides no page. With 1
    /// it is every one, which takes minutes.
    private static let stride = ProcessInfo.processInfo.environment["TIDEMARK_DAMAGE_STRIDE"].flatMap { Int($0) } ?? 127
    /// A database's header, of which every byte is flipped and cut off all the same.
    private static let header = 0..<100

    private let store: SmallStore
    init() throws { store = try SmallStore() }

    private func positions(_ object: SmallStore.Object, _ size: Int) -> [Int] {
        guard object.key.hasSuffix(".db") else { return Array(0..<size) }
        return (0..<size).filter { EveryByteTests.header.contains($0) || $0 == size - 1 || $0 % EveryByteTests.stride == 0 }
    }

    /// What the object's commands say of it when it is damaged; how many there were.
    private func expectRefusal(_ object: SmallStore.Object, _ damage: String, _ output: StandardOutput, whole: [String]) throws -> Int {
        for (command, unharmed) in zip(object.commands, whole) {
            let (status, text) = try store.run(command, writingTo: output)
            if object.matters {
                #expect(status == 4 && text.contains(object.key), "\(object), \(damage), \(command): \(status) \(text)")
            } else {
                #expect(status == 0 && text == unharmed, "\(object), \(damage), \(command): \(status) \(text)")
                if command[0] == "restore" { try store.removeRestored() }
            }
            let left = try store.leftovers()
            #expect(left == [], "\(object), \(damage), \(command)")
        }
        return object.commands.count
    }

    /// What the commands say while nothing is damaged.
    private func whole(_ object: SmallStore.Object, _ output: StandardOutput) throws -> [String] {
        try object.commands.map { command in
            let (status, text) = try store.run(command, writingTo: output)
            if command == ["restore", "2"] {
                #expect(status == 10 && text.contains("was collected"))
            } else {
                #expect(status == 0, "\(command): \(text)")
                if command[0] == "restore" { try store.removeRestored() }
            }
            return text
        }
    }

    @Test func everyFlippedByteAndEveryCutIsRefusedAndNothingIsLeftBehind() throws {
        #expect(
            store.objects.map { $0.key.split(separator: "/")[1] } == [
                "collected.json", "deltas", "manifests", "manifests", "manifests", "snapshots", "tags",
            ])
        let start = ContinuousClock.now
        var cases = 0
        let output = try StandardOutput()
        for object in store.objects {
            let texts = try whole(object, output)
            let content = try Data(contentsOf: URL(fileURLWithPath: store.path(object)))
            let positions = positions(object, content.count)
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: store.path(object)))
            for position in positions {
                try file.overwrite(content[position] ^ 1 << (position % 8), at: position)
                cases += try expectRefusal(object, "byte \(position) flipped", output, whole: texts)
                try file.overwrite(content[position], at: position)
            }
            for length in positions.reversed() {
                try file.truncate(atOffset: UInt64(length))
                cases += try expectRefusal(object, "cut to \(length) bytes", output, whole: texts)
            }
            try file.seek(toOffset: 0)
            try file.write(contentsOf: content + [10])
            cases += try expectRefusal(object, "a byte too many", output, whole: texts)
            try file.truncate(atOffset: UInt64(content.count))
            let again = try whole(object, output)
            #expect(again == texts, "\(object) is whole again")
        }
        FileHandle.standardError.write(Data("damage: \(cases) commands on a damaged store in \(ContinuousClock.now - start)\n".utf8))
    }

    /// The commands above run in this process; these are processes of the tool.
    @Test func theToolsProcessEndsAsTheSameCommandDoesHere() throws {
        for object in store.objects where object.matters {
            let path = URL(fileURLWithPath: store.path(object))
            let content = try Data(contentsOf: path)
            var flipped = content
            flipped[content.count / 2] ^= 0x40
            for damaged in [flipped, content.prefix(content.count / 3)] {
                try damaged.write(to: path)
                for command in object.commands {
                    let (status, text) = try store.runProcess(command)
                    let here = try store.run(command, writingTo: StandardOutput())
                    #expect(
                        status == 4 && here.status == 4 && text.contains(object.key) && text.contains(here.text),
                        "\(object), \(command): \(status) \(text)")
                    #expect(try store.leftovers() == [])
                }
            }
            try content.write(to: path)
        }
    }
}

extension FileHandle {
    fileprivate func overwrite(_ byte: UInt8, at position: Int) throws {
        try seek(toOffset: UInt64(position))
        try write(contentsOf: [byte])
    }
}
