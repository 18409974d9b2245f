/// What the two versions of `VersionedJob` are to write, computed with plain values: also what becomes of each when the
/// other one takes over.
struct VersionedModel {
    struct Page {
        var count = 0
        var total = 0
        /// Version 1 alone knows it.
        var first = ""
        var last = 0
        /// Version 2 alone knows them.
        var points = -1
        var visitors: Set<String> = []
        var timer: Int?
    }

    struct Hour {
        var count = 0
        var largest = 0
    }

    private var version = 1
    private var pages: [String: Page] = [:]
    private var gone: [String: Int] = [:]
    private var fresh: [String: Int] = [:]
    /// By window's start, then page.
    private var hours: [Int: [String: Hour]] = [:]
    private(set) var lines: [String] = []

    /// The other version, or the same once more, goes on.
    mutating func start(_ next: Int) {
        if version == 1 && next == 2 {
            pages = pages.mapValues { page in
                var page = page
                (page.points, page.visitors) = (100, [])
                return page
            }
            hours = hours.mapValues { $0.mapValues { Hour(count: $0.count, largest: 1) } }
            fresh = [:]
        }
        version = next
    }

    mutating func read(_ value: String) {
        let words = value.split(separator: " ").map(String.init)
        let (name, visitor, amount, time) = (words[0], words[1], Int(words[2])!, Int(words[3])!)
        var page = pages[name] ?? Page()
        page.count += 1
        page.total += amount
        page.timer = time + 7_000
        if version == 1 {
            if page.first.isEmpty { page.first = visitor }
            page.last = amount
            gone[visitor, default: 0] += 1
            write("1 \(name) count=\(page.count) total=\(page.total) first=\(page.first) last=\(amount) gone=\(gone[visitor]!)", time)
        } else {
            page.points += 1
            page.visitors.insert(visitor)
            fresh[visitor, default: 0] += 1
            write(
                "2 \(name) visits=\(page.count) total=\(page.total) points=\(page.points) visitors=\(page.visitors.count) was \(page.last) fresh=\(fresh[visitor]!)",
                time)
            page.last = amount
        }
        pages[name] = page
        var hour = hours[time / 10_000 * 10_000]?[name] ?? Hour()
        hour.count += 1
        hour.largest = max(hour.largest, amount)
        hours[time / 10_000 * 10_000, default: [:]][name] = hour
        advance(to: time)
    }

    private mutating func advance(to time: Int) {
        for (name, page) in pages {
            guard let timer = page.timer, timer <= time else { continue }
            pages[name]!.timer = nil
            write("\(version) \(name) quiet after \(page.count)", timer)
        }
        close(through: time)
    }

    /// The end of a bounded run closes all windows.
    mutating func end() { close(through: .max) }

    private mutating func close(through time: Int) {
        for (start, keys) in hours where time == .max || start + 10_000 <= time {
            for (name, hour) in keys {
                write("\(version) \(name) window \(hour.count)\(version == 2 ? " largest \(hour.largest)" : "")", start + 10_000)
            }
            hours[start] = nil
        }
    }

    private mutating func write(_ line: String, _ time: Int) { lines.append("lines \(line) \(time)") }
}
