import CheckpointStores
import Engine
import Foundation
import TestSupport
import Testing

@Suite("S3: who may, where it is, and what is never told")
struct S3AccessTests {
    private func failure(_ changes: [String: String], location: String = "s3://tide-marks/p") throws -> CheckpointError {
        let server = try StoreKind.s3Server()
        let environment = server.environment().merging(changes) { $1 }
        let store = try CheckpointStore.open(location: location, job: "a", environment: environment)
        return try #require(try StoreFixture.failure { try store.probe() })
    }

    @Test func wrongKeysAreDeniedAndNotShown() throws {
        let secret = "wrong/secret+key"
        for (changes, words) in [
            (["AWS_SECRET_ACCESS_KEY": secret], "AWS_SECRET_ACCESS_KEY"), (["AWS_ACCESS_KEY_ID": "AKIDOTHER"], "InvalidAccessKeyId"),
        ] {
            let error = try failure(changes)
            #expect(error.kind == .denied)
            #expect(error.message.contains(words), "\(error)")
            for hidden in [secret, S3Server.secretKey, S3Server.accessKey] { #expect(!"\(error)".contains(hidden)) }
        }
    }

    @Test func aServerThatRepeatsSecretsDoesntMakeUsShowThem() throws {
        let server = try ScriptedHTTPServer { _ in
            let text = "<Error><Code>AccessDenied</Code><Message>no: \(S3Server.secretKey) \(S3Server.accessKey) toktok</Message></Error>"
            return .bytes("HTTP/1.1 403 No\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
        }
        let error = try failure(["AWS_ENDPOINT_URL": "http://127.0.0.1:\(server.port)", "AWS_SESSION_TOKEN": "toktok"])
        #expect(error.kind == .denied)
        for hidden in [S3Server.secretKey, S3Server.accessKey, "toktok"] { #expect(!"\(error)".contains(hidden)) }
        #expect(server.requests.first?.head.contains("toktok") == true, "it was sent")
    }

    @Test func aWrongRegionOrBucketSaysWhatToSet() throws {
        let region = try failure(["AWS_REGION": "us-west-2"])
        #expect(region.kind == .invalid && region.message.contains("AWS_REGION"), "\(region)")
        let bucket = try failure([:], location: "s3://no-such-bucket/p")
        #expect(bucket.kind == .missing && bucket.message.contains("NoSuchBucket"), "\(bucket)")
    }

    @Test func temporaryCredentialsAreSignedToo() throws {
        let server = try S3Server(sessionToken: "token/+==")
        let good = server.environment().merging(["AWS_SESSION_TOKEN": "token/+=="]) { $1 }
        try CheckpointStore.open(location: "s3://tide-marks", job: "a", environment: good).probe()
        let bad = server.environment().merging(["AWS_SESSION_TOKEN": "expired"]) { $1 }
        let error = try StoreFixture.failure { try CheckpointStore.open(location: "s3://tide-marks", job: "a", environment: bad).probe() }
        #expect(error?.kind == .denied && error?.message.contains("AWS_SESSION_TOKEN") == true)
    }

    @Test func anObjectBeyondOnePutIsRefusedBeforeItIsSent() throws {
        let fixture = try StoreFixture(.s3)
        let digest = ObjectDigest(bytes: S3Settings.largestObject + 1, sha256: SHA256.of([]))
        let error = try StoreFixture.failure {
            _ = try fixture.objects.put(.file(path: fixture.file("x"), digest), at: ObjectKey("a"), onlyIfAbsent: false)
        }
        #expect(error?.kind == .invalid && error?.message.contains("5368709120") == true)
    }

    /// A store without conditional writes overwrites: the probe must see that.
    @Test func aStoreWithoutConditionalWritesIsRefused() throws {
        let server = try ScriptedHTTPServer { request in
            request.head.hasPrefix("PUT")
                ? .bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") : .bytes("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nprobe 1")
        }
        let error = try failure(["AWS_ENDPOINT_URL": "http://127.0.0.1:\(server.port)"])
        #expect(error.kind == .invalid && error.message.contains("32 of 32"), "\(error)")
    }

    private static let keys = ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"]

    @Test(arguments: [
        ("s3://bucket/a/b/", ["AWS_REGION": "eu-west-1"], "s3://bucket/a/b"),
        ("s3://bucket", ["AWS_DEFAULT_REGION": "eu-west-1"], "s3://bucket"),
        ("s3://buck.et_1/ü x", ["AWS_ENDPOINT_URL_S3": "http://h:1/", "AWS_ENDPOINT_URL": "nonsense"], "s3://buck.et_1/ü x"),
    ])
    func takesItsPlaceFromTheUsualVariables(location: String, variables: [String: String], shown: String) throws {
        let store = try CheckpointStore.open(location: location, job: "j", environment: variables.merging(S3AccessTests.keys) { $1 })
        #expect(store.location == "\(shown)/j")
    }

    @Test(arguments: [
        ("s3://bucket", [:], "AWS_REGION"), ("s3://bucket", ["AWS_REGION": "a b"], "AWS_REGION"), ("s3://", ["AWS_REGION": "r"], "bucket"),
        ("s3://b", ["AWS_REGION": "r"], "bucket"), ("s3://bucket/a//b", ["AWS_REGION": "r"], "a//b"),
        ("s3://bu/cket", ["AWS_REGION": "r"], "bucket"),
        ("s3://bucket", ["AWS_ENDPOINT_URL": "localhost:9000"], "AWS_ENDPOINT_URL"),
        ("s3://bucket", ["AWS_ENDPOINT_URL": "http://user:pass@h"], "AWS_ENDPOINT_URL"),
        ("s3://bucket", ["AWS_REGION": "r", "AWS_SECRET_ACCESS_KEY": ""], "AWS_SECRET_ACCESS_KEY"),
        ("gs://bucket", [:], "s3://bucket/prefix"), ("", [:], "directory"),
    ])
    func saysWhatIsMissingOrWrong(location: String, variables: [String: String], words: String) throws {
        let environment = S3AccessTests.keys.merging(variables) { $1 }
        let error = try StoreFixture.failure { _ = try CheckpointStore.open(location: location, job: "j", environment: environment) }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains(words) == true && error?.message.contains("pass@") == false, "\(String(describing: error))")
    }
}
