import Engine

/// Where and how a job's rows are delivered to ClickHouse: the keys of `clickhouse:` and the limits of its waits.
public struct ClickHouseSettings: Sendable {
    public enum Delivery: String, Sendable, CaseIterable {
        case exactlyOnce = "exactly-once"
        /// Serves tables whose engine or partition key can't promise more; a batch may land there more than once.
        case atLeastOnce = "at-least-once"
    }

    /// `http://host:port` or `https://host:port` of ONE server, never of a balancer in front of several: what runs and
    /// what landed is asked of the server that was sent to.
    public var url: String
    public var database = "default"
    public var user = "default"
    public var password = ""
    public var createTables = true
    public var delivery = Delivery.exactlyOnce
    /// For how long nothing of a batch may be seen on the server before its rows are counted. Twice the 5 s after which
    /// a request is known to have arrived whole at a server whose client had given it up.
    public var resolveDelay = Duration.seconds(10)
    /// `job.id`; with the sink's name it is the `_task` of every row.
    public var job: String

    /// How long one INSERT may take before it counts as unknown.
    public var insertTimeout = Duration.seconds(60)
    /// How long another query may take.
    public var queryTimeout = Duration.seconds(60)
    public var connectTimeout = Duration.seconds(5)
    /// A batch still running on the server this long after it was given up is killed, and again after as long.
    public var killAfter = Duration.seconds(15)
    /// How often the columns of a table are looked at while a value does not fit.
    public var recheckInterval = Duration.seconds(3)
    /// How old what is known of a table's columns and partition key may be when a batch is encoded.
    public var tableCheckInterval = Duration.seconds(30)
    /// Pauses between attempts while the server is down or refuses grow from `retryPause` to `retryPauseLimit`.
    public var retryPause = Duration.milliseconds(100)
    public var retryPauseLimit = Duration.seconds(5)
    /// How long queries of a job's earlier lineages may keep coming while their end is waited for: then another worker
    /// of the job is alive.
    public var otherWorkerPatience = Duration.seconds(300)
    /// How long a mutation may fail, the server trying it again and again, before a rollback stops.
    public var mutationFailurePatience = Duration.seconds(60)
    /// How long a mutation may run without finishing another part before a rollback stops.
    public var mutationStallLimit = Duration.seconds(3600)
    /// At most one line of log a table in this time while a trouble lasts.
    public var logInterval = Duration.seconds(10)
    /// A file of authorities' certificates in PEM to trust instead of the machine's.
    public var certificateAuthorityFile: String?
    /// A file with this side's certificate in PEM, for servers that ask for one; and its key's, unless that is in the same file.
    public var clientCertificateFile: String?
    public var clientKeyFile: String?

    public init(url: String, job: String) {
        self.url = url
        self.job = job
    }

    /// The `_task` of every row: job and sink.
    package var task: String { "\(job)/clickhouse" }

    /// Throws `invalid`, saying which key is wrong.
    func validate() throws(SinkError) {
        let afterScheme = url.rest(after: "http://") ?? url.rest(after: "https://") ?? ""
        guard !afterScheme.isEmpty, !afterScheme.holds("?"), !afterScheme.holds("#") else {
            throw SinkError(.invalid, "clickhouse.url must be http://host:port or https://host:port")
        }
        guard !afterScheme.holds("@") else {
            throw SinkError(
                .invalid, "clickhouse.url must not hold a user or password: logs show it; use clickhouse.user and clickhouse.password")
        }
        guard !job.isEmpty, !database.isEmpty else { throw SinkError(.invalid, "job.id and clickhouse.database must not be empty") }
        guard resolveDelay > .zero else { throw SinkError(.invalid, "clickhouse.resolveDelay must be more than 0") }
    }
}
