import Engine
import Foundation
import TestSupport
import Testing

@Suite("Whatever the bytes, decoding agrees with a slow reference and never stops")
struct DecoderFuzzTests {
    static let mutations = 12_000

    @Test(arguments: [20_251_122 as UInt64, 7])
    func mutatedRecordsDecodeAsTheReferenceHasIt(seed: UInt64) throws {
        let topic = "fintech.public.transactions"
        let lines =
            try GoldenCase.edge.input(topic)[0] + GoldenCase.rules.input(topic)[0].prefix(600) + GoldenCase.basic.input(topic)[0].prefix(50)
        var mutation = Mutation(seed: seed, lines: lines)
        var outcomes: [String: Int] = [:]
        for round in 0..<DecoderFuzzTests.mutations {
            let value = mutation.next()
            let outcome = DecoderOutcome.transaction(value)
            let reference = ReferenceDecoder.transaction(value)
            outcomes[kind(outcome), default: 0] += 1
            #expect(outcome.text == reference.text, "seed \(seed), round \(round): \(String(decoding: value, as: UTF8.self))")
        }
        // The mutations reach what they are meant to reach.
        for kind in ["event", "skipped", "malformed_json", "missing_field", "bad_value"] {
            #expect(outcomes[kind, default: 0] > 50, "only \(outcomes[kind, default: 0]) times \(kind)")
        }
    }

    private func kind(_ outcome: DecoderOutcome) -> String {
        switch outcome {
        case .event: "event"
        case .skipped: "skipped"
        case .rejected(let reason): String(reason.prefix { $0 != ":" })
        }
    }

    @Test func mutatedSessionsDecodeAsTheReferenceHasIt() throws {
        let topic = "fintech.public.customer_sessions"
        let lines = try GoldenCase.edge.input(topic)[0] + GoldenCase.rules.input(topic)[0] + GoldenCase.basic.input(topic)[0]
        var mutation = Mutation(seed: 5, lines: lines)
        for round in 0..<DecoderFuzzTests.mutations {
            let value = mutation.next()
            #expect(
                DecoderOutcome.session(value).text == ReferenceDecoder.session(value).text,
                "round \(round): \(String(decoding: value, as: UTF8.self))")
        }
    }

    @Test func theGoldenRecordsDecodeAsTheReferenceHasIt() throws {
        for golden in [GoldenCase.basic, .rules, .edge] {
            for value in try golden.input("fintech.public.transactions").joined() {
                #expect(
                    DecoderOutcome.transaction(value).text == ReferenceDecoder.transaction(value).text,
                    "\(String(decoding: value, as: UTF8.self))")
            }
        }
    }

    @Test func whatIsAcceptedIsJSONToOthersToo() throws {
        var mutation = Mutation(seed: 3, lines: try GoldenCase.edge.input("fintech.public.transactions")[0])
        var accepted = 0
        for _ in 0..<4000 {
            let value = mutation.next()
            guard case .event = DecoderOutcome.transaction(value) else { continue }
            accepted += 1
            #expect(throws: Never.self, "\(String(decoding: value, as: UTF8.self))") { try JSONSerialization.jsonObject(with: Data(value)) }
        }
        #expect(accepted > 100)
    }
}
