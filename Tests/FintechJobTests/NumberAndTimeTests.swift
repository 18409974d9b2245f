import Engine
import FintechJob
import TestSupport
import Testing

@Suite("Decimals and times are read exactly from their text")
struct NumberAndTimeTests {
    static let decimals = #"""
        amount: "0" => event amount=0
        amount: "-0.00" => event amount=0
        amount: "007.5" => event amount=750
        amount: "1987" => event amount=198700
        amount: "0.005" => event amount=1
        amount: "-0.005" => event amount=-1
        amount: "0.00499999999999999999999999999999999999999" => event amount=0
        amount: "303.165" => event amount=30317
        amount: "-303.165" => event amount=-30317
        amount: "999999999999.99" => event amount=99999999999999
        amount: "-999999999999.99" => event amount=-99999999999999
        amount: "999999999999.994" => event amount=99999999999999
        amount: "999999999999.995" => rejected bad_value:amount
        amount: "-999999999999.995" => rejected bad_value:amount
        amount: "1000000000000" => rejected bad_value:amount
        amount: "<<0*300>>1.5" => event amount=150
        amount: "<<9*30>>" => rejected bad_value:amount
        amount: "" => rejected bad_value:amount
        amount: "-" => rejected bad_value:amount
        amount: "+1" => rejected bad_value:amount
        amount: ".5" => rejected bad_value:amount
        amount: "5." => rejected bad_value:amount
        amount: "1e3" => event amount=100000
        amount: "1.5E-1" => event amount=15
        amount: "1e" => rejected bad_value:amount
        amount: " 1" => rejected bad_value:amount
        amount: "1 " => rejected bad_value:amount
        amount: "1.2.3" => rejected bad_value:amount
        amount: "--1" => rejected bad_value:amount
        amount: "AKh=" => rejected bad_value:amount
        amount: "NaN" => rejected bad_value:amount
        amount: "١" => rejected bad_value:amount
        amount: 1847.34 => event amount=184734
        amount: 0 => event amount=0
        amount: -0 => event amount=0
        amount: 0.1 => event amount=10
        amount: 1e3 => event amount=100000
        amount: 1E+3 => event amount=100000
        amount: 12345e-3 => event amount=1235
        amount: 12344e-3 => event amount=1234
        amount: 5e-3 => event amount=1
        amount: 4.9e-3 => event amount=0
        amount: 5e-4 => event amount=0
        amount: 99e-1000 => event amount=0
        amount: 0e999999999999999999999999 => event amount=0
        amount: 1e999999999999999999999999 => rejected bad_value:amount
        amount: 1e-999999999999999999999999 => event amount=0
        amount: 9.9999999999999e11 => event amount=99999999999999
        amount: 1e12 => rejected bad_value:amount
        amount: 0.<<0*400>>15e402 => event amount=1500
        amount: 15<<0*400>>e-400 => event amount=1500
        amount: -1e-2 => event amount=-1
        amount: NaN => rejected malformed_json
        amount: Infinity => rejected malformed_json
        amount: true => rejected bad_value:amount
        amount: ["1"] => rejected bad_value:amount
        """#

    static let times = #"""
        created_at: "2025-03-10T10:00:00Z" => event at=1741600800000
        created_at: "2025-03-10T10:00:00.1Z" => event at=1741600800100
        created_at: "2025-03-10T10:00:00.12Z" => event at=1741600800120
        created_at: "2025-03-10T10:00:00.123456789Z" => event at=1741600800123
        created_at: "2025-03-10T10:00:00.999999999+00:00" => event at=1741600800999
        created_at: "2025-03-10T17:30:00+0730" => event at=1741600800000
        created_at: "2025-03-10T17:30:00+07:30" => event at=1741600800000
        created_at: "2025-03-09T22:00:00.5-12:00" => event at=1741600800500
        created_at: "2024-02-29T00:00:00Z" => event at=1709164800000
        created_at: "2000-02-29T00:00:00Z" => event at=951782400000
        created_at: "1970-01-01T00:00:00Z" => event at=0
        created_at: "1970-01-01T00:00:00+00:01" => rejected bad_value:created_at
        created_at: "1969-12-31T23:59:59.999999Z" => rejected bad_value:created_at
        created_at: "1969-12-31T23:59:59-00:01" => event at=59000
        created_at: "2105-12-31T23:59:59.999Z" => event at=4291747199999
        created_at: "2106-01-01T00:00:00Z" => rejected bad_value:created_at
        created_at: "2105-12-31T23:59:59.999-00:01" => rejected bad_value:created_at
        created_at: "2106-01-01T00:59:59+01:00" => event at=4291747199000
        created_at: "9999-12-31T23:59:59Z" => rejected bad_value:created_at
        created_at: "2025-02-29T00:00:00Z" => rejected bad_value:created_at
        created_at: "2100-02-29T00:00:00Z" => rejected bad_value:created_at
        created_at: "2025-04-31T00:00:00Z" => rejected bad_value:created_at
        created_at: "2025-00-10T00:00:00Z" => rejected bad_value:created_at
        created_at: "2025-13-10T00:00:00Z" => rejected bad_value:created_at
        created_at: "2025-01-00T00:00:00Z" => rejected bad_value:created_at
        created_at: "2025-01-10T24:00:00Z" => rejected bad_value:created_at
        created_at: "2025-01-10T00:60:00Z" => rejected bad_value:created_at
        created_at: "2025-01-10T00:00:60Z" => rejected bad_value:created_at
        created_at: "2025-03-10T10:00:00" => event at=1741600800000
        created_at: "2025-03-10 10:00:00.5" => event at=1741600800500
        created_at: "2025-03-10" => rejected bad_value:created_at
        created_at: "0044-03-15T00:00:00Z BC" => rejected bad_value:created_at
        created_at: "infinity" => rejected bad_value:created_at
        created_at: "+10000-01-01T00:00:00Z" => rejected bad_value:created_at
        created_at: "2025-03-10T10:00:00.Z" => rejected bad_value:created_at
        created_at: "2025-03-10T10:00:00.1234567890Z" => rejected bad_value:created_at
        created_at: "2025-03-10T10:00Z" => rejected bad_value:created_at
        created_at: "2025-03-10 10:00:00Z" => event at=1741600800000
        created_at: "2025-03-10t10:00:00z" => rejected bad_value:created_at
        created_at: "2025-3-10T10:00:00Z" => rejected bad_value:created_at
        created_at: "2025-03-10T10:00:00+7:00" => rejected bad_value:created_at
        created_at: "2025-03-10T10:00:00+07" => rejected bad_value:created_at
        created_at: "2025-03-10T10:00:00+24:00" => rejected bad_value:created_at
        created_at: "2025-03-10T10:00:00+07:60" => rejected bad_value:created_at
        created_at: "2025-03-10T10:00:00ZZ" => rejected bad_value:created_at
        created_at: "1741600800000" => rejected bad_value:created_at
        created_at: "" => rejected bad_value:created_at
        created_at: 1741600800000 => event at=1741600800000
        created_at: 1741600800000999 => event at=1741600800000
        created_at: 1741600800000999999 => event at=1741600800000
        created_at: 99999999999999 => rejected bad_value:created_at
        created_at: 100000000000000 => rejected bad_value:created_at
        created_at: 253402300799000 => rejected bad_value:created_at
        created_at: 946684799999999 => rejected bad_value:created_at
        created_at: 946684800000000 => event at=946684800000
        created_at: 99999999999999999 => rejected bad_value:created_at
        created_at: 100000000000000000 => rejected bad_value:created_at
        created_at: 253402300799000000 => rejected bad_value:created_at
        created_at: 946684800000000000 => event at=946684800000
        created_at: 9223372036825200000 => rejected bad_value:created_at
        created_at: -9223372036832400000 => rejected bad_value:created_at
        created_at: 0 => event at=0
        created_at: -0 => event at=0
        created_at: -1 => rejected bad_value:created_at
        created_at: 4291747199999 => event at=4291747199999
        created_at: 4291747200000 => rejected bad_value:created_at
        created_at: 4291747199999999999 => event at=4291747199999
        created_at: 4291747200000000000 => rejected bad_value:created_at
        created_at: 18446744073709551616 => rejected bad_value:created_at
        created_at: 1.7416008e12 => rejected bad_value:created_at
        created_at: 1741600800000.0 => rejected bad_value:created_at
        created_at: true => rejected bad_value:created_at
        """#

    @Test(arguments: [decimals, times].flatMap { DecoderCase.table($0, plainRow: TransactionDecoderTests.plainRow) })
    func reads(_ line: DecoderCase) { line.check(.transaction(line.value)) }
}
