import CurlHTTP
import Engine
import Glibc

/// Objects in an S3 bucket, or in another server's that speaks S3 and honours `If-None-Match: *` (`CheckpointStore.probe`
/// finds out).
///
/// Every request is signed with the hash of its body, so that the server refuses bytes that changed on the way. A time-out,
/// a broken connection, 409 and 5xx are unknown: the request is sent again, so often as `S3Settings.attempts` says, which
/// is safe as a whole object is written to a key whose content the caller knows, or only if nothing is there.
package final class S3ObjectStore: ObjectStore {
    private let requests: S3Requests
    private let sender: S3Sender
    private let settings: S3Settings
    private let isCancelled: @Sendable () -> Bool

    /// - Parameter isCancelled: asked at least once a second during calls; true ends them with kind `retry`.
    package init(settings: S3Settings, isCancelled: @escaping @Sendable () -> Bool = { false }) {
        self.settings = settings
        self.isCancelled = isCancelled
        requests = S3Requests(settings: settings)
        sender = S3Sender(settings: settings, isCancelled: isCancelled)
    }

    package var location: String { settings.location }

    package func put(_ content: ObjectContent, at key: ObjectKey, onlyIfAbsent: Bool) throws(CheckpointError) -> PutOutcome {
        let subject = "writing \(location)/\(key)"
        let headers = onlyIfAbsent ? [(name: "If-None-Match", value: "*")] : []
        let answer: S3Answer
        switch content {
        case .bytes(let bytes):
            let request = requests.object(.put, key, body: SHA256.of(bytes), headers: headers)
            answer = try sender.send(subject) { (client) throws(HTTPError) in
                try bytes.withUnsafeBytes { bytes in
                    Result { () throws(HTTPError) in try client.perform(request, body: bytes, isCancelled: isCancelled) }
                }.get()
            }.answer
        case .file(let path, let digest):
            answer = try upload(path, digest, requests.object(.put, key, body: digest.sha256, headers: headers), subject)
        }
        switch answer {
        case .done: return .created
        case .exists where onlyIfAbsent: return .exists
        default: throw CheckpointError(.invalid, "\(subject): the server answered as no S3 does; check AWS_ENDPOINT_URL")
        }
    }

    private func upload(_ path: String, _ digest: ObjectDigest, _ request: HTTPRequest, _ subject: String) throws(CheckpointError)
        -> S3Answer
    {
        guard digest.bytes <= S3Settings.largestObject else {
            throw CheckpointError(
                .invalid,
                "\(subject): \(path) has \(digest.bytes) bytes, and S3 takes \(S3Settings.largestObject) in one object at most; use a directory as the store"
            )
        }
        let descriptor = try LocalFile.openForReading(path)
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw LocalFile.failure("look at", path) }
        guard status.st_size == digest.bytes else { throw hasChanged(path, nil) }
        var request = request
        request.totalTimeout = settings.transferTimeout
        do throws(CheckpointError) {
            return try sender.send(subject) { [request] (client) throws(HTTPError) in
                try client.perform(request, file: descriptor, length: digest.bytes, isCancelled: isCancelled)
            }.answer
        } catch {
            // The server can only say that the bytes are not those that were signed, not who changed them.
            if error.kind == .retry, !isCancelled(), try LocalFile.digest(of: path) != digest { throw hasChanged(path, error) }
            throw error
        }
    }

    private func hasChanged(_ path: String, _ cause: CheckpointError?) -> CheckpointError {
        CheckpointError(.corrupt, "\(path) changed before it was uploaded; write it anew", cause: cause)
    }

    package func get(_ key: ObjectKey, limit: Int) throws(CheckpointError) -> [UInt8]? {
        var bytes: [UInt8] = []
        let tooLong = "\(location)/\(key) is damaged: it has more than the \(limit) bytes that were written at most"
        var isTooLong = false
        let answer = try sender.send("reading \(location)/\(key)") { (client) throws(HTTPError) in
            bytes = []
            return try client.perform(requests.object(.get, key), isCancelled: isCancelled) { piece in
                isTooLong = isTooLong || bytes.count + piece.count > limit
                if !isTooLong { bytes.append(contentsOf: piece) }
                return isTooLong ? tooLong : nil
            }
        } orStop: {
            isTooLong ? CheckpointError(.corrupt, tooLong) : nil
        }
        return try isPresent(answer.answer, key) ? bytes : nil
    }

    package func download(_ key: ObjectKey, into file: String?, limit: Int) throws(CheckpointError) -> ObjectDigest? {
        var request = requests.object(.get, key)
        request.totalTimeout = settings.transferTimeout
        guard let file else { return try receive(request, key, into: nil, limit: limit) }
        let descriptor = try LocalFile.create(file)
        defer { close(descriptor) }
        do throws(CheckpointError) {
            let digest = try receive(request, key, into: (descriptor, file), limit: limit)
            if digest == nil { LocalFile.removeBestEffort(file) }
            return digest
        } catch {
            LocalFile.removeBestEffort(file)
            throw error
        }
    }

    private func receive(
        _ request: HTTPRequest, _ key: ObjectKey, into target: (descriptor: Int32, path: String)?, limit: Int
    ) throws(CheckpointError) -> ObjectDigest? {
        let reception = S3Reception(target: target, limit: limit, place: "\(location)/\(key)")
        let answer = try sender.send("reading \(location)/\(key)") { (client) throws(HTTPError) in
            guard reception.problem == nil, reception.startOver() else { throw HTTPError(.nothingSent, "the object can't be taken") }
            return try client.perform(request, isCancelled: isCancelled) { reception.receive($0) }
        } orStop: {
            reception.problem
        }
        return try isPresent(answer.answer, key) ? try reception.finish() : nil
    }

    private func isPresent(_ answer: S3Answer, _ key: ObjectKey) throws(CheckpointError) -> Bool {
        switch answer {
        case .done: return true
        case .absent: return false
        default: throw CheckpointError(.invalid, "reading \(location)/\(key): the server answered as no S3 does; check AWS_ENDPOINT_URL")
        }
    }

    /// Pages of a thousand that one call looks at.
    private static let mostPages = 10_000

    package func list(prefix: String, after: ObjectKey?, limit: Int) throws(CheckpointError) -> [ListedObject] {
        let subject = "listing \(location)/\(prefix)"
        var found: [ListedObject] = []
        var last = after.map { requests.prefixed($0.text) }
        var pages = 0
        while found.count < limit {
            pages += 1
            guard pages <= S3ObjectStore.mostPages else {
                throw CheckpointError(
                    .invalid,
                    "\(subject): no end after \(S3ObjectStore.mostPages) pages of names that are none of Tidemark's; use a bucket or a prefix of its own, or check AWS_ENDPOINT_URL"
                )
            }
            let most = min(limit - found.count, 1000)
            let request = requests.list(prefix: prefix, after: last, limit: most)
            let response = try sender.send(subject) { (client) throws(HTTPError) in try client.perform(request, isCancelled: isCancelled) }
                .response
            let page = try S3Listing(response.body, prefix: requests.prefixed(prefix), after: last, limit: most, subject: subject)
            for object in page.objects {
                // Names that are no keys of ours were put there by somebody else.
                guard let name = object.key.rest(after: requests.prefixed("")), let key = try? ObjectKey(String(name)) else { continue }
                found.append(ListedObject(key: key, bytes: object.bytes, modifiedAt: object.modifiedAt))
            }
            guard page.isTruncated, let end = page.objects.last?.key else { break }
            last = end
        }
        return Array(found.prefix(limit))
    }

    package func delete(_ key: ObjectKey) throws(CheckpointError) {
        let request = requests.object(.delete, key)
        _ = try sender.send("removing \(location)/\(key)") { (client) throws(HTTPError) in
            try client.perform(request, isCancelled: isCancelled)
        }
    }
}
