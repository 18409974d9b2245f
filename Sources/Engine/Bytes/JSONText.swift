/// A text as JSON writes it, in quotes; what could end a line, hide in one, or mean something to a terminal is escaped.
public func quotedJSON(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case "\n": quoted += "\\n"
        case "\t": quoted += "\\t"
        case _ where scalar.isUnprintable: quoted += scalar.jsonEscape
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}
