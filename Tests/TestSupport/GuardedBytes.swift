import Engine
import Glibc

/// Calls `body` with a copy of the bytes that ends where readable memory ends: reading behind it stops the process.
package func withGuardedBytes<Result>(_ bytes: [UInt8], _ body: (ByteView) throws -> Result) rethrows -> Result {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let readable = (bytes.count + page) / page * page
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let memory = mmap(nil, readable + page, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED else {
        fatalError("no memory for \(readable + page) bytes: \(errno)")
    }
    defer { munmap(memory, readable + page) }
    precondition(mprotect(memory + readable, page, PROT_NONE) == 0, "no guard page: \(errno)")
    let start = (memory + readable - bytes.count).assumingMemoryBound(to: UInt8.self)
    start.update(from: bytes, count: bytes.count)
    return try body(ByteView(start: start, count: bytes.count))
}
