import FintechJob

extension InputForm {
    /// Of flat rows that don't say their operation, as the golden cases have them.
    static let ofInserts = {
        var form = InputForm()
        form.operations = .inserts
        return form
    }()
}

extension FintechSettings {
    /// The defaults, for flat rows that don't say their operation.
    static let ofInserts = {
        var settings = FintechSettings()
        settings.form = .ofInserts
        return settings
    }()
}
