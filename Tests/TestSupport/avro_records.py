"""Writes the JSON records of topics as Avro, by fastavro, the way Debezium writes them with Confluent's converter.

Arguments: the form (flat, envelope), a directory with <topic>.jsonl, and one to write to: schemas.json, a list of the schemas by id
from 1 on, and <topic>.keys and <topic>.values with records of four bytes of length, the greatest first (0xFFFFFFFF: null), and bytes.

Half-way through each topic its table changes: the columns stand in another order, some are new, and one is gone.
"""
import decimal
import io
import json
import os
import re
import struct
import sys
from datetime import datetime, timezone

import fastavro

form, source, target = sys.argv[1:4]
schemas = []
NULL = ("null", {})

DECIMALS = {"amount", "fee_amount", "risk_score", "balance", "minimum_balance", "available_balance"}
MICRO_TIMESTAMP = {"type": "long", "connect.version": 1, "connect.name": "io.debezium.time.MicroTimestamp"}
DECIMAL = {
    "type": "bytes", "scale": 4, "precision": 30, "connect.version": 1, "connect.parameters": {"scale": "4"},
    "connect.name": "org.apache.kafka.connect.data.Decimal", "logicalType": "decimal",
}
UUID = {"type": "string", "connect.version": 1, "connect.name": "io.debezium.data.Uuid"}
JSON = {"type": "string", "connect.version": 1, "connect.name": "io.debezium.data.Json"}


def register(schema):
    schemas.append(json.dumps(schema))
    return len(schemas)


def no_number(name):
    raise ValueError(name)


def operation_and_row(line):
    """What a JSON record says: an operation and the row or None; NULL for a null value, None for what is no record."""
    if not line:
        return NULL
    try:
        value = json.loads(line.decode(), parse_constant=no_number)
        json.dumps(value, ensure_ascii=False).encode()  # Half a character is in no record.
    except ValueError:
        return None
    if isinstance(value, dict) and "schema" in value and "payload" in value:
        value = value["payload"]
    if value is None:
        return NULL
    if not isinstance(value, dict):
        return None
    if "op" in value and ("before" in value or "after" in value):
        image = value.get("before") if value["op"] == "d" else value.get("after")
        if image is None or isinstance(image, dict):
            return value["op"], image
        return None
    row = {name: column for name, column in value.items() if not name.startswith("__")}
    if "__op" in value:
        return value["__op"], row
    return ("d" if str(value.get("__deleted", "")).lower() == "true" else "c"), row


def column_value(name, value):
    """A column's value as it is written, and the schema of it."""
    if value is None:
        return None, "null"
    if isinstance(value, bool):
        return value, "boolean"
    if isinstance(value, int) and abs(value) < 2**63:
        if form == "envelope" and name.endswith("_at"):
            # A count of nanoseconds, microseconds or milliseconds by its size, where no schema says which.
            return value // 1000 if value >= 10**17 else value if value >= 10**14 else max(value * 1000, -1), MICRO_TIMESTAMP
        return value, "long"
    if isinstance(value, float):
        return value, "double"
    if isinstance(value, (dict, list)):
        return json.dumps(value), JSON
    if form == "envelope" and isinstance(value, str):
        if name.endswith("_at") and re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", value):
            try:
                moment = datetime.fromisoformat(value[:-1] + "+00:00")
            except ValueError:
                return value, "string"
            since = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
            return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds, MICRO_TIMESTAMP
        if name in DECIMALS and re.fullmatch(r"-?\d{1,20}(\.\d{1,4})?", value):
            return decimal.Decimal(value), DECIMAL
        if name == "id":
            return value, UUID
    return str(value), "string"


def type_name(schema):
    return schema if isinstance(schema, str) else schema["type"] + schema.get("connect.name", "")


def row_schema(topic, names, types, number):
    fields = []
    for name in names:
        # Avro knows one type of a kind in a union.
        branches = {}
        for schema in types[name].values():
            branches.setdefault(schema if isinstance(schema, str) else schema["type"], schema)
        fields.append({"name": name, "type": ["null"] + [schema for kind, schema in branches.items() if kind != "null"], "default": None})
    if number == 2:
        fields.insert(1, {"name": "labels", "type": {"type": "map", "values": ["null", "string"]}})
        fields.insert(2, {"name": "history", "type": {"type": "array", "items": {
            "type": "record", "name": "Change", "fields": [{"name": "at", "type": "long"}, {"name": "note", "type": ["null", "string"]}]}}})
        fields.insert(3, {"name": "digest", "type": {"type": "fixed", "name": "Digest", "size": 4}})
        fields.append({"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["OLD", "NEW"]}})
    return {"type": "record", "name": "Value", "namespace": topic, "fields": fields, "connect.name": topic + ".Value"}


def value_schema(topic, row):
    if form == "flat":
        added = [{"name": "__op", "type": ["null", "string"], "default": None}, {"name": "__deleted", "type": ["null", "string"], "default": None}]
        return {**row, "fields": row["fields"] + added}
    return {"type": "record", "name": "Envelope", "namespace": topic, "connect.name": topic + ".Envelope", "fields": [
        {"name": "before", "type": ["null", row], "default": None}, {"name": "after", "type": ["null", "Value"], "default": None},
        {"name": "source", "type": {"type": "record", "name": "Source", "namespace": "io.debezium.connector.postgresql", "fields": [
            {"name": "version", "type": "string"}, {"name": "snapshot", "type": [
                {"type": "string", "connect.version": 1, "connect.parameters": {"allowed": "true,last,false"}, "connect.default": "false",
                 "connect.name": "io.debezium.data.Enum"}, "null"], "default": "false"},
            {"name": "ts_ms", "type": "long"}, {"name": "lsn", "type": ["null", "long"], "default": None}]}},
        {"name": "op", "type": "string"}, {"name": "ts_ms", "type": ["null", "long"], "default": None},
        {"name": "transaction", "type": ["null", {"type": "record", "name": "block", "namespace": "event", "fields": [
            {"name": "id", "type": "string"}, {"name": "total_order", "type": "long"}]}], "default": None}]}


def framed(number, schema, value):
    out = io.BytesIO()
    out.write(struct.pack(">bI", 0, number))
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


def written_row(row, number):
    values = {name: column_value(name, value)[0] for name, value in row.items()}
    if number == 2:
        values.update(labels={"a": "b", "c": None}, history=[{"at": 1, "note": None}, {"at": 2, "note": "é"}], digest=b"\0\1\2\3", kind="NEW")
    return values


def write_topic(path, topic):
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    rows = [operation_and_row(line) for line in lines]
    types = {}
    for row in rows:
        for name, value in (row[1].items() if row and row[1] else ()):
            schema = column_value(name, value)[1]
            types.setdefault(name, {})[type_name(schema)] = schema
    names = list(types)
    key_schema = {"type": "record", "name": "Key", "namespace": topic, "fields": [{"name": "id", "type": ["null", "string", "long"]}]}
    key_number, key_parsed = register(key_schema), fastavro.parse_schema(key_schema)
    made = []
    for number, order in ((1, names), (2, [name for name in reversed(names) if name != "user_agent"])):
        schema = value_schema(topic, row_schema(topic, order, types, number))
        made.append((register(schema), fastavro.parse_schema(schema)))
    with open(os.path.join(target, topic + ".keys"), "wb") as keys, open(os.path.join(target, topic + ".values"), "wb") as values:
        for index, row in enumerate(rows):
            number = 1 if index < len(rows) // 2 else 2
            schema_id, parsed = made[number - 1]
            if row == NULL or form == "flat" and row and row[1] is None and row[0] in ("c", "r"):
                key, value = None, None
            elif row is None:
                key, value = None, struct.pack(">bI", 0, schema_id) + b"\xff"
            else:
                change, columns = row
                identity = (columns or {}).get("id")
                key = framed(key_number, key_parsed, {"id": identity if isinstance(identity, (str, int)) else None})
                image = written_row(columns or {}, number)
                if form == "flat":
                    record = {**image, "__op": change, "__deleted": "true" if change == "d" else "false"}
                else:
                    image = None if columns is None else image
                    record = {
                        "before": image if change == "d" else None, "after": None if change == "d" else image, "op": change, "ts_ms": index,
                        "source": {"version": "3.6.3.Final", "snapshot": "false", "ts_ms": index, "lsn": None if index % 2 else index}}
                value = framed(schema_id, parsed, record)
            for file, data in ((keys, key), (values, value)):
                file.write(struct.pack(">I", 0xFFFFFFFF if data is None else len(data)) + (data or b""))


for name in sorted(os.listdir(source)):
    if name.endswith(".jsonl"):
        write_topic(os.path.join(source, name), name.removesuffix(".jsonl"))
with open(os.path.join(target, "schemas.json"), "w") as file:
    json.dump(schemas, file)
