import Engine

/// A stored state table as its row says.
struct CatalogTable {
    let id: Int64
    let stored: StoredStateTable
    /// Of a fallback: the fields that its writer does not know.
    let carried: [String]

    var schema: StateSchema { stored.schema }
}

/// An earlier version's copy of a table, and how records become what it holds.
struct Fallback {
    let id: Int64
    let mapping: RecordMapping
}
