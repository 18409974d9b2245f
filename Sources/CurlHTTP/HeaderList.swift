import CCurl

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
