"""ClickHouse's HTTP interface in front of chdb, the ClickHouse engine as a Python library.

    chdb_front.py PORT DIRECTORY

Serves `/ping` and `/?query=…&setting=…` with a body, as a server does: settings of the URL are set for the query, data
after an INSERT is fed to the engine as it arrives and taken back when the connection breaks, and errors are the engine's
own, with its number in X-ClickHouse-Exception-Code. It keeps no tables of its own: everything lies in DIRECTORY.
What the library can't do is not pretended: a query's id is the engine's own, and users are not checked.
"""

import os
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

PORT, DIRECTORY = int(sys.argv[1]), os.path.abspath(sys.argv[2])
os.makedirs(DIRECTORY, exist_ok=True)
os.chdir(DIRECTORY)  # the engine would read a config.xml in the working directory

import chdb  # noqa: E402

# Parameters of the HTTP interface itself; every other one is a setting of the query.
HTTP_PARAMETERS = {"query", "database", "query_id", "wait_end_of_query", "user", "password", "default_format", "buffer_size"}

# As the engine's HTTPHandler maps its errors to statuses; 500 for all others.
STATUSES = {
    400: {6, 25, 26, 27, 38, 41, 53, 62, 72, 117},
    404: {46, 47, 50, 56, 60, 63, 73, 81, 115},
    501: {48},
}

BODY_PIECE = 256 << 10
INSERT_WITH_FORMAT = re.compile(r"^(\s*INSERT\s+INTO\s.*?)\s+FORMAT\s+(\w+)\s*$", re.IGNORECASE | re.DOTALL)

engine = chdb.connect(DIRECTORY)  # kept open: the engine stops with its last connection


class BrokenBody(Exception):
    """The client went away before the end of its request."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path == "/ping":
            self.answer(200, b"Ok.\n")
        else:
            self.query()

    def do_POST(self):
        self.query()

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "text/tab-separated-values; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def pieces(self):
        while self.unread > 0:
            piece = self.rfile.read1(min(self.unread, BODY_PIECE))
            if not piece:
                raise BrokenBody()
            self.unread -= len(piece)
            yield piece

    def query(self):
        self.unread = int(self.headers.get("Content-Length", 0))
        parameters = parse_qsl(urlsplit(self.path).query, keep_blank_values=True)
        named = dict(parameters)
        session = chdb.connect(DIRECTORY)
        try:
            if "database" in named:
                session.query("USE `%s`" % named["database"].replace("`", "\\`"))
            for name, value in parameters:
                if name not in HTTP_PARAMETERS:
                    session.query("SET %s = '%s'" % (name, value.replace("\\", "\\\\").replace("'", "\\'")))
            self.answer(200, self.execute(session, named))
        except (BrokenBody, ConnectionError):
            self.close_connection = True
        except Exception as error:  # noqa: BLE001: the engine raises several types
            self.refuse(str(error))
        finally:
            session.close()

    def execute(self, session, named):
        insert = INSERT_WITH_FORMAT.match(named.get("query", ""))
        if insert:
            stream = session.send_insert(insert.group(1), insert.group(2))
            try:
                for piece in self.pieces():
                    stream.append(piece)
            except BaseException:
                stream.cancel()
                raise
            stream.finish()
            return b""
        text = named.get("query", "") + b"".join(self.pieces()).decode()
        result = session.query(text, named.get("default_format", "TabSeparated"))
        return bytes(result.bytes()) if result is not None and result.size() else b""

    def refuse(self, text):
        found = re.search(r"Code: (\d+)\. DB::Exception", text)
        headers, status = [], 500
        if found:
            text = text[found.start():]
            code = int(found.group(1))
            headers.append(("X-ClickHouse-Exception-Code", str(code)))
            status = next((status for status, codes in STATUSES.items() if code in codes), 500)
        try:
            for _ in self.pieces():
                pass  # an answer before the request's end would be lost with the connection
            self.answer(status, text.encode() + b"\n", headers)
        except (BrokenBody, ConnectionError):
            self.close_connection = True


def exit_with_parent(parent):
    """A test that dies takes its server along."""
    while os.getppid() == parent:
        threading.Event().wait(1)
    os._exit(0)


threading.Thread(target=exit_with_parent, args=(os.getppid(),), daemon=True).start()
server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
server.daemon_threads = True
server.serve_forever()
