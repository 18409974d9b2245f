import Engine
import Testing

@testable import KafkaIO

@Suite("librdkafka properties") struct PropertiesTests {
    @Test(
        "each property that the engine owns is refused by name, with the reason", arguments: KafkaProperties.ownedByConsumer.keys.sorted())
    func owned(name: String) {
        let settings = KafkaSettings(properties: ["bootstrap.servers": "b:1", name: "true"], defaultGroup: "job")
        let error = message { _ = try KafkaSource(settings, logger: quietLogger) }
        #expect(error.contains("\(name) belongs to the engine and can't be set"))
    }

    @Test("several problems are told together, in the order of the names, and only once each")
    func several() {
        let problems = KafkaProperties.problems(
            in: ["enable.auto.commit": "true", "fetch.wait.max.ms": "soon", "no.such.thing": "1", "client.id": "me"], for: .consumer)
        #expect(problems.map(\.name) == ["enable.auto.commit", "fetch.wait.max.ms", "no.such.thing"])
        #expect(problems[1].message.contains("librdkafka refuses the value of fetch.wait.max.ms (not shown)"))
        #expect(problems[2].message.contains("no.such.thing is no property of librdkafka"))
    }

    @Test("no message shows a value, whole or in part: a secret may have been written into any property")
    func secrets() {
        let names = [
            "ssl.key.pem", "security.protocol", "fetch.wait.max.ms", "enable.random.seed", "debug", "client.dns.lookup", "sasl.mechanism",
            "isolation.level",
        ]
        for value in ["hunter2", "all,hunter2", "hunter2,all", "7hunter2", " hunter2 "] {
            let problems = KafkaProperties.problems(in: Dictionary(uniqueKeysWithValues: names.map { ($0, value) }), for: .consumer)
            #expect(problems.count >= 5)
            for problem in problems {
                #expect(!problem.message.contains("hunter2") && problem.message.contains(problem.name), "\(problem.message)")
            }
        }
    }

    @Test("the numbers that a property takes are told")
    func range() throws {
        let problem = try #require(KafkaProperties.problems(in: ["fetch.wait.max.ms": "987654321"], for: .consumer).first)
        #expect(problem.message.contains("expected 0..300000") && !problem.message.contains("987654321"), "\(problem.message)")
    }

    @Test("the user's group.id is taken, the job's id otherwise")
    func group() throws {
        #expect(try KafkaSettings(properties: ["bootstrap.servers": "b:1"], defaultGroup: "job").consumerProperties()["group.id"] == "job")
        let own = KafkaSettings(properties: ["bootstrap.servers": "b:1", "group.id": "mine"], defaultGroup: "job")
        #expect(try own.consumerProperties()["group.id"] == "mine")
    }

    @Test("settings without brokers are refused")
    func noBrokers() {
        let error = message { _ = try KafkaSource(KafkaSettings(properties: [:], defaultGroup: "job"), logger: quietLogger) }
        #expect(error.contains("set the property bootstrap.servers"))
    }

    @Test("a log repeats a kind of message once in its interval, and says how many it left out")
    func limitedLog() {
        let limiter = LogLimiter(interval: .seconds(10))
        let begin = ContinuousClock.now
        #expect(limiter.admit("down", at: begin) == 0)
        #expect(limiter.admit("down", at: begin + .seconds(1)) == nil)
        #expect(limiter.admit("down", at: begin + .seconds(2)) == nil)
        #expect(limiter.admit("other", at: begin + .seconds(2)) == 0)
        #expect(limiter.admit("down", at: begin + .seconds(11)) == 2)
        #expect(limiter.admit("down", at: begin + .seconds(22)) == 0)
    }
}
