/// What a record's own schema (Kafka Connect's, Avro's) says of a column, as far as its values alone don't tell.
struct DeclaredType: BitwiseCopyable, Equatable {
    enum Meaning: UInt8, BitwiseCopyable {
        /// No schema, or one that says nothing that the value doesn't.
        case none
        /// A text and nothing else.
        case text
        /// An unscaled value with `scale` decimal places; in JSON its bytes in Base64, or a number.
        case decimal
        /// Days since 1970.
        case days
        /// Times of a clock on the wall, without a zone, counted from 1970.
        case milliseconds, microseconds, nanoseconds
        /// A text of a clock on the wall, whatever zone it names.
        case localText
        /// Times with a zone, counted from 1970 UTC.
        case instantMilliseconds, instantMicroseconds, instantNanoseconds
    }

    let meaning: Meaning
    /// Of a decimal: how many of its digits stand behind the point.
    let scale: Int8

    init(_ meaning: Meaning, scale: Int8 = 0) {
        self.meaning = meaning
        self.scale = scale
    }

    static let none = DeclaredType(.none)
}
