import CurlHTTP
import Engine
import Foundation

/// Asks a schema registry over HTTP, blocking; for one thread at a time.
final class RegistryClient {
    private let settings: RegistrySettings
    private let http: HTTPClient
    private let headers: [(name: String, value: String)]

    /// The most bytes of an answer.
    static let answerLimit = 4 << 20
    /// How many schemas one schema may use, those that they use included.
    static let referenceLimit = 100

    init(_ settings: RegistrySettings) throws(RegistryError) {
        self.settings = settings
        var httpSettings = HTTPClientSettings()
        httpSettings.connectTimeout = settings.connectTimeout
        httpSettings.responseBodyLimit = RegistryClient.answerLimit
        httpSettings.tls = TLSFiles(
            authorities: settings.certificateAuthorityFile, certificate: settings.clientCertificateFile, key: settings.clientKeyFile)
        do {
            http = try HTTPClient(settings: httpSettings)
        } catch {
            throw RegistryError(
                .retry,
                "the schema registry at \(settings.url) can't be asked: \(error). See to input.registry.certificates, .clientCertificate and .clientKey, and to the HTTP library of this machine"
            )
        }
        var headers = [(name: "Accept", value: "application/vnd.schemaregistry.v1+json, application/json, */*")]
        switch settings.access {
        case .open: break
        case .basic(let user, let password):
            headers.append(("Authorization", "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()))
        case .bearer(let token): headers.append(("Authorization", "Bearer \(token)"))
        }
        self.headers = headers
    }

    /// A schema, or that there is none of this number. Throws `retry` when the registry does not say the one or the other, and
    /// `denied` when it refuses the user.
    func schema(_ id: SchemaID) throws(RegistryError) -> FoundSchema {
        switch settings.interface {
        case .confluent: try confluentSchema(id)
        case .apicurio: try apicurioSchema(id)
        }
    }

    // MARK: - Confluent's interface

    private func confluentSchema(_ id: SchemaID) throws(RegistryError) -> FoundSchema {
        let path = "/schemas/ids/\(id.number)"
        let response = try ask(path)
        if response.status == 404 {
            // Any server says 404 of a path that it does not have; a registry says what it is that it has not.
            guard answer(response)?["error_code"] as? Int == 40_403 else { throw notARegistry(path, response) }
            return .missing
        }
        let schema = try registered(path, response)
        var references: [[UInt8]] = []
        var known: Set<String> = []
        try addReferences(of: schema, to: &references, &known)
        return .text(Array(schema.text.utf8), references: references)
    }

    private struct Registered {
        let text: String
        /// The paths of the schemas that it uses.
        let references: [String]
    }

    private func registered(_ path: String, _ response: HTTPResponse) throws(RegistryError) -> Registered {
        guard response.status == 200, let answer = answer(response), let text = answer["schema"] as? String else {
            throw notARegistry(path, response)
        }
        var references: [String] = []
        for reference in answer["references"] as? [[String: Any]] ?? [] {
            guard let subject = reference["subject"] as? String, let version = reference["version"] as? Int else {
                throw notARegistry(path, response)
            }
            references.append("/subjects/\(subject.percentEncoded())/versions/\(version)")
        }
        return Registered(text: text, references: references)
    }

    /// Adds what a schema uses, each after what it uses itself.
    private func addReferences(of schema: Registered, to texts: inout [[UInt8]], _ known: inout Set<String>) throws(RegistryError) {
        for path in schema.references where known.insert(path).inserted {
            guard known.count <= RegistryClient.referenceLimit else {
                throw RegistryError(
                    .retry,
                    "the schema registry at \(settings.url) has a schema that uses more than \(RegistryClient.referenceLimit) others: bring them into fewer"
                )
            }
            let used = try registered(path, try ask(path))
            try addReferences(of: used, to: &texts, &known)
            texts.append(Array(used.text.utf8))
        }
    }

    // MARK: - Apicurio's interface

    private func apicurioSchema(_ id: SchemaID) throws(RegistryError) -> FoundSchema {
        // Both versions of the interface put what a schema uses into it, and each knows the other's word for that as nothing.
        let path = "/ids/\(id.space == .global ? "globalIds" : "contentIds")/\(id.number)"
        let response = try ask(path, query: "?dereference=true&references=DEREFERENCE")
        if response.status == 404 {
            let name = answer(response)?["name"] as? String ?? ""
            guard let what = name.rest(before: "NotFoundException"), !what.isEmpty else { throw notARegistry(path, response) }
            return .missing
        }
        guard response.status == 200, !response.body.isEmpty else { throw notARegistry(path, response) }
        return .text(response.body, references: [])
    }

    // MARK: - Asking

    private func ask(_ path: String, query: String = "") throws(RegistryError) -> HTTPResponse {
        let request = HTTPRequest(.get, url: settings.url + path + query, headers: headers, totalTimeout: settings.requestTimeout)
        let response: HTTPResponse
        do {
            response = try http.perform(request)
        } catch {
            throw RegistryError(
                .retry,
                "the schema registry at \(settings.url) does not answer: \(error). See that it runs, that this machine reaches it, and that input.registry.url is its address"
            )
        }
        switch response.status {
        case 401, 403:
            throw RegistryError(
                .denied,
                "the schema registry at \(settings.url) refuses GET \(path) (\(response.status)): give the user or the token of input.registry the right to read schemas"
            )
        case 300..<400:
            let place = response.header("Location").map { " to \($0.printable)" } ?? ""
            throw RegistryError(
                .retry,
                "the schema registry at \(settings.url) leads elsewhere\(place) (\(response.status)): set input.registry.url to where it is"
            )
        default: return response
        }
    }

    private func answer(_ response: HTTPResponse) -> [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(response.body))) as? [String: Any]
    }

    /// How much of an answer that is none an error shows.
    private static let shownBytes = 200

    private func notARegistry(_ path: String, _ response: HTTPResponse) -> RegistryError {
        let text = String(decoding: response.body.prefix(RegistryClient.shownBytes), as: UTF8.self).printable
        return RegistryError(
            .retry,
            "\(settings.url)\(path) does not answer as a schema registry does (status \(response.status): \(text)): look whether input.registry.url and input.registry.api are right, and the registry is well"
        )
    }
}
