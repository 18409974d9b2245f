import ClickHouseSink
import Engine
import Foundation
import Synchronization

/// A delivery on a thread of its own, of which a test sees how it ends.
final class BackgroundDelivery: Sendable {
    private let result = Mutex<Result<DeliveryOutcome, any Error>?>(nil)
    private let isCancelled = Atomic(false)

    init(_ sink: ClickHouseSink, _ batch: SinkBatch) {
        Thread { [self] in
            let ended = Result { try sink.deliver(batch, mayHaveBeenSent: false) { [self] in isCancelled.load(ordering: .relaxed) } }
            result.withLock { $0 = ended }
        }.start()
    }

    /// nil until it has ended.
    var outcome: Result<DeliveryOutcome, any Error>? { result.withLock { $0 } }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }
}
