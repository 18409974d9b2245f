import CCurl
import Glibc

/// A blocking HTTP/1.1 client on one connection that it keeps, for one thread at a time.
///
/// Every socket has `SO_LINGER 0` from the start: giving a request up, or the end of the process, resets the connection,
/// so that no byte leaves this machine later (what has arrived, the other side may still read). Redirects are not followed,
/// proxies not used (one could hold a request back and deliver it later), `Expect: 100-continue` is sent with signed
/// requests alone, and no request is repeated on its own. Of the environment only `SSL_CERT_FILE` and `SSL_CERT_DIR` count, which name
/// authorities to trust instead of the machine's where the settings name none: no proxy variable, no `.netrc`, no
/// `SSLKEYLOGFILE`, which is taken out of the process's environment.
package final class HTTPClient {
    private let handle: OpaquePointer
    private let settings: HTTPClientSettings

    /// Throws when libcurl can't be set up.
    package init(settings: HTTPClientSettings = HTTPClientSettings()) throws(HTTPError) {
        guard HTTPClient.libraryCode == CURLE_OK else {
            throw HTTPError(.nothingSent, "libcurl can't be initialised: \(describe(HTTPClient.libraryCode))")
        }
        guard let created = curl_easy_init() else {
            throw HTTPError(.nothingSent, "libcurl gave no handle: not enough memory")
        }
        handle = OpaquePointer(created)
        self.settings = settings
    }

    deinit { curl_easy_cleanup(easy) }

    /// `curl_global_init` must run once, before any other thread uses libcurl.
    private static let libraryCode: CURLcode = {
        // OpenSSL writes to broken connections without MSG_NOSIGNAL; a program's own handler stays.
        tidemark_ignore_broken_pipes()
        // With it libcurl would write the keys of every connection to a file of somebody's choice.
        unsetenv("SSLKEYLOGFILE")
        return curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    }()

    private var easy: UnsafeMutableRawPointer { UnsafeMutableRawPointer(handle) }

    /// Sends a request and waits for the whole response, whatever its status.
    ///
    /// - Parameter body: must stay as it is until the call returns.
    /// - Parameter isCancelled: asked at least once a second.
    package func perform(
        _ request: HTTPRequest, body: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        isCancelled: () -> Bool = { false }
    ) throws(HTTPError) -> HTTPResponse {
        try perform(request, sending: .bytes(body), receiver: nil, isCancelled: isCancelled)
    }

    /// Sends the first `length` bytes of an open file as the request's body; its position is neither used nor moved.
    package func perform(
        _ request: HTTPRequest, file descriptor: Int32, length: Int, isCancelled: () -> Bool = { false }
    ) throws(HTTPError) -> HTTPResponse {
        try perform(request, sending: .file(descriptor: descriptor, length: length), receiver: nil, isCancelled: isCancelled)
    }

    /// Hands the body of a 2xx answer to `receive` as it comes, without a limit; another answer's body is in the response.
    ///
    /// - Parameter receive: returns nil to go on, or why it can't, which ends the request with an error that says so.
    package func perform(
        _ request: HTTPRequest, isCancelled: () -> Bool = { false }, receive: (UnsafeRawBufferPointer) -> String?
    ) throws(HTTPError) -> HTTPResponse {
        try withoutActuallyEscaping(receive) { (receive) throws(HTTPError) -> HTTPResponse in
            let nothing = HTTPBody.bytes(UnsafeRawBufferPointer(start: nil, count: 0))
            return try perform(request, sending: nothing, receiver: receive, isCancelled: isCancelled)
        }
    }

    private func perform(
        _ request: HTTPRequest, sending body: HTTPBody, receiver: ((UnsafeRawBufferPointer) -> String?)?, isCancelled: () -> Bool
    ) throws(HTTPError) -> HTTPResponse {
        for header in request.headers where (header.name + header.value).utf8.contains(where: { $0 == 0x0A || $0 == 0x0D || $0 == 0 }) {
            throw HTTPError(.invalidRequest, "the header \(header.name) holds a line break or a zero byte")
        }
        // libcurl's way to write a header without a value; "Expect:" takes that one out, but libcurl 7.88 would sign it as if it
        // were sent, so signed requests go without: they say that they expect a 100, but don't wait for it.
        let unwanted = request.signature == nil ? ["Expect:"] : []
        let headers = HeaderList(request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" } + unwanted)
        return try withoutActuallyEscaping(isCancelled) { (isCancelled) throws(HTTPError) -> HTTPResponse in
            let transfer = HTTPTransfer(body: body, receiver: receiver, settings: settings, isCancelled: isCancelled)
            curl_easy_reset(easy)  // keeps the connection
            try configure(request, transfer, headers)
            let code = curl_easy_perform(easy)
            return try withExtendedLifetime((transfer, headers)) { () throws(HTTPError) -> HTTPResponse in
                guard code == CURLE_OK else { throw failure(code, request, transfer) }
                var status = 0
                try set(tidemark_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status), "response code")
                return HTTPResponse(status: status, headers: transfer.headers, body: transfer.response)
            }
        }
    }

    private func set(_ code: CURLcode, _ what: String) throws(HTTPError) {
        guard code == CURLE_OK else { throw HTTPError(.invalidRequest, "libcurl refused \(what): \(describe(code))") }
    }

    private func configure(_ request: HTTPRequest, _ transfer: HTTPTransfer, _ headers: HeaderList) throws(HTTPError) {
        try set(tidemark_curl_set_text(easy, CURLOPT_URL, request.url), "the URL")
        try set(tidemark_curl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https"), "the protocols")
        try set(tidemark_curl_set_text(easy, CURLOPT_PROXY, ""), "no proxy")
        try set(tidemark_curl_set_long(easy, CURLOPT_NETRC, 0), "no .netrc")
        try set(tidemark_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)), "HTTP/1.1")
        try set(tidemark_curl_set_long(easy, CURLOPT_NOSIGNAL, 1), "no signals")
        try set(tidemark_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0), "no redirects")
        try set(tidemark_curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1), "keep-alive probes")
        try set(tidemark_curl_set_long(easy, CURLOPT_MAXCONNECTS, 1), "one connection")
        try set(tidemark_curl_set_long(easy, CURLOPT_MAXAGE_CONN, max(1, Int(settings.idleLimit.components.seconds))), "the idle limit")
        try set(tidemark_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.inMilliseconds), "the connect time-out")
        try set(tidemark_curl_set_long(easy, CURLOPT_TIMEOUT_MS, request.totalTimeout.inMilliseconds), "the total time-out")
        if let stall = request.stallTimeout {
            try set(tidemark_curl_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, 1), "the stall time-out")
            try set(tidemark_curl_set_long(easy, CURLOPT_LOW_SPEED_TIME, max(1, Int(stall.components.seconds))), "the stall time-out")
        }
        try set(tidemark_curl_set_text(easy, CURLOPT_USERAGENT, settings.userAgent), "the user agent")
        try configure(settings.tls)
        try set(tidemark_curl_set_list(easy, CURLOPT_HTTPHEADER, headers.first), "the headers")
        if let signature = request.signature { try configure(signature) }
        try configureMethod(request.method, bodyLength: transfer.body.length)
        try configureCallbacks(transfer)
    }

    private func configure(_ files: TLSFiles) throws(HTTPError) {
        if let file = files.authorities ?? HTTPClient.variable("SSL_CERT_FILE") {
            try set(tidemark_curl_set_text(easy, CURLOPT_CAINFO, file), "the certificate file \(file)")
        }
        if files.authorities == nil, let directory = HTTPClient.variable("SSL_CERT_DIR") {
            try set(tidemark_curl_set_text(easy, CURLOPT_CAPATH, directory), "the certificates' directory \(directory)")
        }
        guard let certificate = files.certificate else { return }
        try set(tidemark_curl_set_text(easy, CURLOPT_SSLCERT, certificate), "the client certificate \(certificate)")
        let key = files.key ?? certificate
        try set(tidemark_curl_set_text(easy, CURLOPT_SSLKEY, key), "the client certificate's key \(key)")
    }

    /// nil for one that is empty, too.
    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private func configure(_ signature: AWSSignature) throws(HTTPError) {
        let scope = "aws:amz:\(signature.region):\(signature.service)"
        try set(tidemark_curl_set_text(easy, CURLOPT_AWS_SIGV4, scope), "the signature's scope")
        try set(tidemark_curl_set_text(easy, CURLOPT_USERNAME, signature.accessKey), "the access key")
        try set(tidemark_curl_set_text(easy, CURLOPT_PASSWORD, signature.secretKey), "the secret key")
        try set(tidemark_curl_set_long(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 1), "not waiting for a 100")
    }

    private func configureMethod(_ method: HTTPRequest.Method, bodyLength: Int) throws(HTTPError) {
        switch method {
        case .get:
            try set(tidemark_curl_set_long(easy, CURLOPT_HTTPGET, 1), "GET")
        case .head:
            try set(tidemark_curl_set_long(easy, CURLOPT_NOBODY, 1), "HEAD")
        case .post:
            try set(tidemark_curl_set_long(easy, CURLOPT_POST, 1), "POST")
            try set(tidemark_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, bodyLength), "the body's length")
        case .put:
            try set(tidemark_curl_set_long(easy, CURLOPT_UPLOAD, 1), "PUT")
            try set(tidemark_curl_set_offset(easy, CURLOPT_INFILESIZE_LARGE, bodyLength), "the body's length")
        case .delete:
            try set(tidemark_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, method.rawValue), "DELETE")
        }
        try set(tidemark_curl_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, HTTPClient.uploadBufferBytes), "the upload buffer")
    }

    /// What libcurl hands to the kernel at a time.
    private static let uploadBufferBytes = 512 << 10

    private func configureCallbacks(_ transfer: HTTPTransfer) throws(HTTPError) {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        try set(
            tidemark_curl_set_data_callback(easy, CURLOPT_READFUNCTION) { data, size, count, context in
                HTTPTransfer.from(context).readBody(into: data!, capacity: size * count)
            }, "the body's reader")
        try set(tidemark_curl_set_pointer(easy, CURLOPT_READDATA, context), "the body's reader")
        try set(tidemark_curl_set_seek_callback(easy) { _, _, _ in CURL_SEEKFUNC_FAIL }, "the body's rewinding")
        try set(
            tidemark_curl_set_data_callback(easy, CURLOPT_WRITEFUNCTION) { data, size, count, context in
                HTTPTransfer.from(context).receiveBody(UnsafeRawBufferPointer(start: data, count: size * count))
            }, "the response's reader")
        try set(tidemark_curl_set_pointer(easy, CURLOPT_WRITEDATA, context), "the response's reader")
        try set(
            tidemark_curl_set_data_callback(easy, CURLOPT_HEADERFUNCTION) { data, size, count, context in
                HTTPTransfer.from(context).receiveHeader(UnsafeRawBufferPointer(start: data, count: size * count))
            }, "the headers' reader")
        try set(tidemark_curl_set_pointer(easy, CURLOPT_HEADERDATA, context), "the headers' reader")
        try set(
            tidemark_curl_set_progress_callback(easy) { context, _, _, _, _ in
                HTTPTransfer.from(context).shouldStop() ? 1 : 0
            }, "the cancellation")
        try set(tidemark_curl_set_pointer(easy, CURLOPT_XFERINFODATA, context), "the cancellation")
        try set(tidemark_curl_set_long(easy, CURLOPT_NOPROGRESS, 0), "the cancellation")
        try set(
            tidemark_curl_set_socket_callback(easy) { _, socket, _ in
                tidemark_reset_on_close(socket) == 0 ? Int32(CURL_SOCKOPT_OK) : Int32(CURL_SOCKOPT_ERROR)
            }, "the socket's options")
    }

    private func failure(_ code: CURLcode, _ request: HTTPRequest, _ transfer: HTTPTransfer) -> HTTPError {
        let subject = "\(request.method.rawValue) \(request.url.prefix { $0 != "?" })"
        if transfer.wasCancelled { return HTTPError(.cancelled, "\(subject): cancelled") }
        let reason = transfer.refusal ?? describe(code)
        var requestBytes = 0
        let isKnown = tidemark_curl_get_long(easy, CURLINFO_REQUEST_SIZE, &requestBytes) == CURLE_OK
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT:
            return HTTPError(.invalidRequest, "\(subject): \(reason)")
        default:
            let nothingSent = isKnown && requestBytes == 0 && transfer.sentBytes == 0
            let advice = HTTPClient.adviceOnCertificates(code)
            return HTTPError(
                nothingSent ? .nothingSent : .unknown, "\(subject): \(reason)\(advice.map { "; " + $0 } ?? "")",
                isOfCertificate: advice != nil)
        }
    }
}

extension HTTPClient {
    /// nil for an error that has to do with none.
    fileprivate static func adviceOnCertificates(_ code: CURLcode) -> String? {
        switch code {
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR:
            "the certificate has to be valid, for the very name in the address, and signed by an authority of this machine's certificates (update-ca-certificates adds one; clickhouse.certificates, input.registry.certificates and, for a checkpoint store, AWS_CA_BUNDLE name others, SSL_CERT_FILE does for all)"
        case CURLE_SSL_CERTPROBLEM:
            "the client certificate and its key have to be in PEM, without a passphrase, and belong together (clickhouse.clientCertificate and .clientKey, input.registry.clientCertificate and .clientKey; for a checkpoint store TIDEMARK_S3_CLIENT_CERTIFICATE and TIDEMARK_S3_CLIENT_KEY)"
        default: nil
        }
    }
}

private func describe(_ code: CURLcode) -> String { "\(String(cString: curl_easy_strerror(code))) (curl \(code.rawValue))" }

extension Duration {
    /// Whole milliseconds, at least one, because 0 means no limit to libcurl.
    fileprivate var inMilliseconds: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}

/// The limits of an `HTTPClient`.
package struct HTTPClientSettings: Sendable {
    /// How long connecting, name resolution and TLS included, may take.
    package var connectTimeout: Duration = .seconds(5)
    /// A kept connection that was idle for longer is not used again: servers close theirs after a few seconds (ClickHouse
    /// after 3 to 30), and a request that crosses such a close on its way has an unknown end.
    package var idleLimit: Duration = .seconds(2)
    /// A longer response is given up as `unknown`.
    package var responseBodyLimit = 32 << 20
    /// All response headers together; more is given up as `unknown`.
    package var responseHeaderLimit = 256 << 10
    package var tls = TLSFiles()
    package var userAgent = "tidemark"

    package init() {}
}

/// libcurl's linked list of header lines, freed with its owner.
final class HeaderList {
    let first: UnsafeMutablePointer<curl_slist>?

    init(_ lines: [String]) {
        first = lines.reduce(nil) { list, line in
            guard let longer = curl_slist_append(list, line) else { fatalError("out of memory for an HTTP header") }
            return longer
        }
    }

    deinit { curl_slist_free_all(first) }
}
