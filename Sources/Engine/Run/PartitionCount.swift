/// How many partitions of a topic, or a stage, a start reads, by how many there are and how many the state was built with:
/// were they others, keys would lie elsewhere than their state.
package enum PartitionCount: Equatable, Sendable {
    /// The state knows none yet.
    case new(Int)
    case asKnown(Int)
    /// The topic has grown, and the run is to end before its state is brought to the new partitions: those of before are read.
    case before(Int, growingTo: Int)

    /// `name`: of the topic or the stage. `isTopic`: only topics may have grown. Throws a `StartRefusal`.
    package init(of name: String, isTopic: Bool, found: Int, known: Int?, endsBeforeRepartition: Bool) throws(StartRefusal) {
        guard let known else {
            self = .new(found)
            return
        }
        if known == found {
            self = .asKnown(found)
            return
        }
        guard isTopic, found > known else { throw .partitionsDiffer(name, found: found, known: known) }
        guard endsBeforeRepartition else { throw .hasGrown(topic: name, from: known, to: found) }
        // Otherwise keys went from one old partition to another, where their records must not meet the state as it is.
        guard PartitionGrowth(from: known, to: found).fillsNewPartitionsOnly else {
            throw .hasGrownUnevenly(topic: name, from: known, to: found)
        }
        self = .before(known, growingTo: found)
    }

    /// How many are read.
    package var read: Int {
        switch self {
        case .new(let count), .asKnown(let count), .before(let count, _): count
        }
    }
}
