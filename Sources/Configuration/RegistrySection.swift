import Engine

/// `input.registry`: where the schemas of records in Avro are.
package struct RegistrySection: Sendable {
    /// `input.registry.url`: without user and password.
    package var url: String
    /// `input.registry.api`: whose interface the registry has.
    package var api = Interface.confluent
    /// `input.registry.ids`: what the numbers in records count, for `apicurio`.
    package var ids = Numbers.content
    /// `input.registry.idBytes`: how many bytes they have in a record.
    package var idBytes = IDBytes.four
    /// `input.registry.username` and `input.registry.password`; nil for none.
    package var login: (username: String, password: Secret)?
    /// `input.registry.token`: sent as a bearer; nil for none.
    package var token: Secret?
    /// `input.registry.certificates`, `.clientCertificate` and `.clientKey`.
    package let tls: TLSSection

    package enum Interface: String, Sendable, CaseIterable {
        case confluent, apicurio
    }

    package enum Numbers: String, Sendable, CaseIterable {
        case content, global
    }

    package enum IDBytes: String, Sendable, CaseIterable {
        case four = "4"
        case eight = "8"
    }

    /// nil where the records are no Avro.
    init?(_ reader: inout SettingsReader, format: InputSection.Format) {
        let expected = "the address of a schema registry, such as http://127.0.0.1:8081"
        let written = reader.setting("input.registry.url")
        api = reader.choice("input.registry.api", default: api)
        let ids = reader.setting("input.registry.ids")
        self.ids = reader.choice("input.registry.ids", default: self.ids)
        idBytes = reader.choice("input.registry.idBytes", default: idBytes)
        let username = reader.setting("input.registry.username")
        let password = reader.setting("input.registry.password")
        let token = reader.setting("input.registry.token")
        tls = TLSSection(&reader, under: "input.registry")
        guard format == .avro else {
            if let written { reader.report(written, "is of use only to records in Avro: set input.format: avro, or remove it") }
            return nil
        }
        if let written {
            url = reader.httpURL(written, expected: expected, instead: "put them under input.registry.username and input.registry.password")
        } else {
            url = ""
            reader.reportMissing("input.registry.url", "is needed for input.format: avro and has no default: \(expected)")
        }
        if let ids, api != .apicurio { reader.report(ids, "is of use only to input.registry.api: apicurio; set that, or remove this") }
        if let username { login = (username.text, Secret(password?.text ?? "")) }
        if let password, username == nil { reader.report(password, "is of no use without input.registry.username") }
        if let token {
            if let username {
                reader.report(token, "input.registry.username (\(username.origin.place)) names another way to log in; remove one of them")
            }
            if !token.text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
                reader.report(token, "expected letters, digits or signs of ASCII without spaces")
            }
            self.token = Secret(token.text)
        }
    }

    /// What is not to be shown.
    var secrets: [Secret] { [login?.password, token].compactMap { $0 } }
}
