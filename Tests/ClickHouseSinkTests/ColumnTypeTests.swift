import Engine
import Testing

@testable import ClickHouseSink

@Suite("Column types")
struct ColumnTypeTests {
    @Test(arguments: [
        "String", "Bool", "UInt8", "UInt64", "Int32", "Float32", "DateTime", "DateTime('Europe/Berlin')", "DateTime64(3)",
        "DateTime64(6, 'UTC')",
        "Decimal(38, 2)", "Array(String)", "Map(String, UInt32)", "Nullable(Decimal(9, 4))", "Array(Map(String, Array(UInt8)))",
        "FixedString(8)", "Enum8('a, (b' = 1, 'c' = 2)", "Tuple(a UInt8, b String)", "AggregateFunction(sum, UInt8)",
    ])
    func isWrittenAsItWasRead(text: String) {
        #expect(ColumnType(text).inBlock == text)
    }

    @Test func lowCardinalityTakesItsInnerType() {
        #expect(ColumnType("LowCardinality(Nullable(String))").inBlock == "Nullable(String)")
        #expect(ColumnType("Map(LowCardinality(String), UInt32)").inBlock == "Map(String, UInt32)")
        #expect(ColumnType("Array(LowCardinality(String))").holdsLowCardinality)
        #expect(!ColumnType("Array(String)").holdsLowCardinality)
    }

    @Test(arguments: [
        (OutputType.text, "FixedString(3)"), (.text, "Enum8('a' = 1)"), (.text, "UUID"), (.text, "Array(String)"),
        (.count, "Decimal(3, 4)"), (.count, "String"),
        (.number, "Decimal(18, 2)"), (.flag, "Float32"), (.flag, "String"), (.time, "Date"), (.time, "UInt64"), (.amount, "Decimal(18, 1)"),
        (.amount, "Float64"), (.sum, "Int64"), (.sum, "Decimal(76, 2)"), (.textCounts, "Map(String, UInt16)"),
        (.textCounts, "Map(UInt8, UInt32)"),
        (.texts, "String"), (.texts, "Array(Nullable(String))"),
    ])
    func aTypeThatWouldLoseValuesIsNotServed(output: OutputType, type: String) {
        #expect(ColumnEncoding(output, into: ColumnType(type)) == nil)
    }

    @Test func partitionKeysAreReadAsServersWriteThem() {
        #expect(PartitionKey.partitioning("", timeColumn: "t") == RowPartitioning.none)
        #expect(PartitionKey.partitioning("toYYYYMM(t)", timeColumn: "t") == .month)
        #expect(PartitionKey.partitioning("toYYYYMM(`t`)", timeColumn: "t") == .month)
        #expect(PartitionKey.partitioning("toMonday(t)", timeColumn: "t") == .week)
        #expect(PartitionKey.partitioning("toDate(t)", timeColumn: "t") == .day)
        #expect(PartitionKey.partitioning("toYYYYMM(u)", timeColumn: "t") == nil)
        #expect(PartitionKey.partitioning("(toYYYYMM(t), x)", timeColumn: "t") == nil)
    }
}
