"""A schema registry for tests: Confluent's interface, and what readers need of Apicurio's. Keeps its schemas in a file.

Arguments: port, file, and what a request has to bring as Authorization ("" for nothing).
"""
import json
import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, path, authorization = int(sys.argv[1]), sys.argv[2], sys.argv[3]
# Subject, schema and references by id, from 1 on.
schemas = json.load(open(path)) if os.path.exists(path) else []


def versions(subject):
    return [number for number, schema in enumerate(schemas, 1) if schema["subject"] == subject]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def may(self):
        if not authorization or self.headers.get("Authorization") == authorization:
            return True
        self.answer(401, {"error_code": 401, "message": "Unauthorized"})
        return False

    def do_GET(self):
        if not self.may():
            return
        place = self.path.split("?")[0]
        if found := re.fullmatch(r"/schemas/ids/(-?\d+)", place):
            number = int(found[1])
            if not 1 <= number <= len(schemas):
                return self.answer(404, {"error_code": 40403, "message": f"Schema {number} not found"})
            schema = schemas[number - 1]
            return self.answer(200, {"schema": schema["schema"], **({"references": schema["references"]} if schema["references"] else {})})
        if found := re.fullmatch(r"/subjects/([^/]+)/versions/(\d+)", place):
            known = versions(found[1])
            if not 1 <= int(found[2]) <= len(known):
                return self.answer(404, {"error_code": 40401, "message": "Subject not found"})
            schema = schemas[known[int(found[2]) - 1] - 1]
            return self.answer(200, {"subject": found[1], "version": int(found[2]), "id": known[int(found[2]) - 1], **schema})
        if found := re.fullmatch(r"/apis/registry/v[23]/ids/(global|content)Ids/(\d+)", place):
            # The two count differently.
            number = int(found[2]) - (1000 if found[1] == "global" else 2000)
            if not 1 <= number <= len(schemas):
                return self.answer(404, {"error_code": 404, "message": "No such artifact", "name": "ArtifactNotFoundException"})
            return self.answer(200, schemas[number - 1]["schema"].encode())
        self.answer(404, {"error_code": 404, "message": "HTTP 404 Not Found"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if not self.may():
            return
        subject = re.fullmatch(r"/subjects/([^/]+)/versions", self.path.split("?")[0])[1]
        schema = {"subject": subject, "schema": body["schema"], "references": body.get("references") or []}
        # A schema that is there keeps its number.
        if schema in schemas:
            return self.answer(200, {"id": schemas.index(schema) + 1})
        schemas.append(schema)
        with open(path + ".new", "w") as file:
            json.dump(schemas, file)
        os.replace(path + ".new", path)
        self.answer(200, {"id": len(schemas)})

    def log_message(self, *arguments):
        print(self.command, self.path, flush=True)


ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
