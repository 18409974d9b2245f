/// Schemas that records name by a number instead of carrying them.
///
/// An implementor guarantees: what a number stands for never changes; whoever hands on records has asked for their schemas
/// before, so that to those who decode them no number is `unasked`; nothing here waits.
package protocol SchemaTable: AnyObject, Sendable {
    func schema(_ id: SchemaID) -> FoundSchema
}

/// What a record calls its schema by.
package struct SchemaID: Hashable, Sendable, BitwiseCopyable {
    /// What the number counts.
    package enum Space: UInt8, Sendable, BitwiseCopyable {
        /// The schemas of a registry with Confluent's interface.
        case schema
        /// The artifacts' versions of an Apicurio registry.
        case global
        /// The different contents in an Apicurio registry.
        case content
    }

    package let space: Space
    package let number: Int64

    package init(_ space: Space, _ number: Int64) {
        self.space = space
        self.number = number
    }
}

/// What is known of a schema.
package enum FoundSchema: Sendable, Equatable {
    /// Its text, and those of the schemas whose types it uses, each after the ones that it uses itself.
    case text([UInt8], references: [[UInt8]])
    /// The registry says that there is none under the number.
    case missing
    /// The registry was not asked yet.
    case unasked
}
