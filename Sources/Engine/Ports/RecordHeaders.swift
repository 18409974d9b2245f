/// The headers of a record, looked up by name where they lie: nothing is read or copied until somebody asks.
///
/// Like the record's bytes, they are borrowed for the time of the call that hands the record over.
public struct RecordHeaders: BitwiseCopyable {
    /// Finds the last header of the name (its bytes, their count) in what the record came from, and stores the value at the
    /// pointer, which is a `ByteView`'s; false when there is none of that name.
    public typealias Lookup = @convention(c) (UnsafeRawPointer, UnsafePointer<UInt8>, Int, UnsafeMutableRawPointer) -> Bool

    private let owner: UnsafeRawPointer?
    private let lookup: Lookup?

    /// Of a record without headers.
    public static var none: RecordHeaders { RecordHeaders(owner: nil, lookup: nil) }

    private init(owner: UnsafeRawPointer?, lookup: Lookup?) {
        self.owner = owner
        self.lookup = lookup
    }

    public init(of owner: UnsafeRawPointer, lookup: @escaping Lookup) {
        self.owner = owner
        self.lookup = lookup
    }

    /// The value of the last header of that name, the null view when its value is null; nil when there is none.
    public func value(of name: ByteView) -> ByteView? {
        guard let owner, let lookup, let start = name.start else { return nil }
        var value = ByteView.null
        return withUnsafeMutableBytes(of: &value) { lookup(owner, start, name.count, $0.baseAddress.unsafelyUnwrapped) } ? value : nil
    }

    public func value(of name: StaticString) -> ByteView? {
        value(of: ByteView(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
}
