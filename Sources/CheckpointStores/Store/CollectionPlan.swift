/// What a collection will do.
public struct CollectionPlan: Sendable, Equatable {
    /// Manifests that become tombstones, in rising order.
    public var manifests: [ManifestNumber]
    /// Objects that no kept manifest reaches.
    public var objects: [ListedObject]
    /// Manifests that stay, in rising order.
    public var kept: [ManifestNumber]
    /// Damaged and incompatible manifests, which stay too: they, and the objects that only they reach, are for a person to judge.
    public var unreadable: [ManifestNumber]
    /// The newest manifest that the plan knows.
    public var newest: ManifestNumber?
    /// Objects written at this time or later stay, in milliseconds since 1970 UTC.
    public var before: Int64

    /// What removing the objects frees.
    public var bytes: Int {
        objects.reduce(0) { sum, object in sum.addingReportingOverflow(object.bytes).overflow ? .max : sum + object.bytes }
    }
}
