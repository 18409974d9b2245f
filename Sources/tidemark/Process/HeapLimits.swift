import Glibc

/// How the C library's heap is to behave in a worker, whose memory is large buffers that many threads fill and free.
enum HeapLimits {
    /// Blocks of this size and more come from the kernel and go back to it when they are freed. Left alone, glibc raises
    /// this limit to the size of what was freed, and then keeps holes of many MiB.
    private static let mappedFrom: Int32 = 1 << 20
    /// Free memory at the heap's end above which it is given back.
    private static let trimmedAbove: Int32 = 8 << 20
    /// Heaps that threads are spread over; each keeps its own holes. The record path allocates nothing, so one will do.
    private static let heaps: Int32 = 1

    /// `M_MMAP_THRESHOLD`, `M_TRIM_THRESHOLD` and `M_ARENA_MAX` of malloc.h, macros that Swift does not import.
    private static let (mmapThreshold, trimThreshold, arenaMaximum): (Int32, Int32, Int32) = (-3, -1, -8)

    private typealias SetOption = @convention(c) (_ option: Int32, _ value: Int32) -> Int32

    /// Before the first thread starts. Where the C library has no such function, nothing is set: that costs memory only.
    static func set() {
        // malloc.h is not among the headers that Swift's Glibc module shows.
        guard let function = dlsym(nil, "mallopt") else { return }
        let option = unsafeBitCast(function, to: SetOption.self)
        _ = option(mmapThreshold, mappedFrom)
        _ = option(trimThreshold, trimmedAbove)
        _ = option(arenaMaximum, heaps)
    }
}
