import Foundation

/// The keys of a connection over TLS: `<connection>.certificates`, `.clientCertificate` and `.clientKey`, files in PEM.
package struct TLSSection: Sendable {
    /// Authorities to trust instead of the machine's.
    package let certificates: String?
    /// This side's certificate.
    package let clientCertificate: String?
    /// Its key, where that is in a file of its own.
    package let clientKey: String?

    init(_ reader: inout SettingsReader, under connection: String) {
        certificates = TLSSection.file(&reader, "\(connection).certificates")
        clientCertificate = TLSSection.file(&reader, "\(connection).clientCertificate")
        clientKey = TLSSection.file(&reader, "\(connection).clientKey")
        if clientCertificate == nil, let key = reader.setting("\(connection).clientKey") {
            reader.report(key, "is of no use without \(connection).clientCertificate: set that, or remove it")
        }
    }

    private static func file(_ reader: inout SettingsReader, _ key: String) -> String? {
        guard let setting = reader.setting(key) else { return nil }
        if !FileManager.default.isReadableFile(atPath: setting.text) {
            reader.report(
                setting, "expected a file in PEM that can be read, found none at \(setting.text): correct the path, or see to its rights")
        }
        return setting.text
    }
}
