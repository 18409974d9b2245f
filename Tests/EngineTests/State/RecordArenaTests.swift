import Simulation
import Testing

@testable import Engine

@Suite("The arena gives every block its own memory, and uses freed ones again")
struct RecordArenaTests {
    @Test func aSizeClassHoldsWhatIsAskedAndWastesAtMostAQuarter() {
        var lastIndex = 0
        for bytes in 1...100_000 {
            let (index, size) = RecordArena.sizeClass(holding: bytes)
            #expect(size >= bytes)
            #expect(bytes <= 32 || Double(size - bytes) <= Double(bytes) / 4)
            #expect(index == lastIndex || index == lastIndex + 1)
            let again = RecordArena.sizeClass(holding: size)
            #expect(again == (index, size), "a block goes back to the class that it came from")
            lastIndex = index
        }
    }

    @Test(arguments: 0..<5 as Range<UInt64>)
    func blocksInUseNeverOverlap(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var arena = RecordArena()
        var inUse: [(block: UnsafeMutableRawPointer, size: Int, mark: UInt8)] = []
        for step in 0..<5_000 {
            if inUse.isEmpty || Int.random(in: 0...2, using: &random) > 0 {
                let (block, size) = arena.allocate(Int.random(in: 0...(step % 50 == 0 ? 400_000 : 300), using: &random))
                let mark = UInt8(truncatingIfNeeded: step)
                block.initializeMemory(as: UInt8.self, repeating: mark, count: size)
                inUse.append((block, size, mark))
            } else {
                let (block, size, mark) = inUse.remove(at: Int.random(in: 0..<inUse.count, using: &random))
                #expect(UnsafeRawBufferPointer(start: block, count: size).allSatisfy { $0 == mark })
                arena.release(block, size: size)
            }
        }
        #expect(arena.usedBytes == inUse.reduce(0) { $0 + $1.size })
        #expect(inUse.allSatisfy { block, size, mark in UnsafeRawBufferPointer(start: block, count: size).allSatisfy { $0 == mark } })
    }

    @Test func aFreedBlockIsTheNextOfItsSize() {
        var arena = RecordArena()
        let (first, size) = arena.allocate(100)
        arena.release(first, size: size)
        #expect(arena.usedBytes == 0)
        #expect(arena.allocate(100).block == first)
    }
}
