/// Why a batch can't be encoded for its table as it is now.
enum EncodingFailure: Error, Equatable {
    /// A value is beyond what its column can hold; an ALTER of the column mends it.
    case valueDoesNotFit(column: String, value: String)
    /// The batch's rows lie in more than one partition of the table, so that one INSERT would be no unit.
    case partitionsDiffer(row: UInt32, first: Int32, other: Int32)
    /// The batch's bytes are not what its table's declaration says.
    case damaged(row: UInt32)
}
