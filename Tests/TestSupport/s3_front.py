"""An S3 server for tests: moto's buckets behind a check of every request's signature, which moto itself doesn't do.

    s3_front.py PORT ACCESS_KEY SECRET_KEY REGION BUCKET [SESSION_TOKEN]

Signatures are computed anew with botocore, AWS's own client, from the request as it came over the wire; the body must
have the hash that the request says, and every x-amz- header must be signed. Conditional writes are atomic, as S3's are.
`/ping` answers when the server is up. Everything lies in memory.
"""

import hashlib
import io
import os
import sys
import threading

PORT, ACCESS_KEY, SECRET_KEY, REGION, BUCKET = int(sys.argv[1]), *sys.argv[2:6]
SESSION_TOKEN = sys.argv[6] if len(sys.argv) > 6 else None

os.environ["MOTO_S3_CUSTOM_ENDPOINTS"] = f"http://127.0.0.1:{PORT}"

from botocore.auth import S3SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402
from moto.s3.models import s3_backends  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402

ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>{}</Message><AWSAccessKeyId>{}</AWSAccessKeyId></Error>'
STATUSES = {400: "400 Bad Request", 403: "403 Forbidden"}


class Refused(Exception):
    """A request that S3 would not carry out, with its status, code and message."""


def check(environ, body):
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    scheme, _, fields = headers.get("authorization", "").partition(" ")
    named = dict(field.strip().split("=", 1) for field in fields.split(",") if "=" in field)
    if scheme != "AWS4-HMAC-SHA256" or set(named) != {"Credential", "SignedHeaders", "Signature"}:
        raise Refused(403, "AccessDenied", "the request is not signed")
    key, date, region, service, _ = named["Credential"].split("/")
    if key != ACCESS_KEY:
        raise Refused(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
    if (region, service) != (REGION, "s3"):
        raise Refused(400, "AuthorizationHeaderMalformed", f"the region '{region}' is wrong; expecting '{REGION}'")
    if SESSION_TOKEN is not None and headers.get("x-amz-security-token") != SESSION_TOKEN:
        raise Refused(400, "ExpiredToken", "The provided token has expired.")
    signed = named["SignedHeaders"].split(";")
    needed = {name for name in headers if name.startswith("x-amz-")} | {"host", "x-amz-date", "x-amz-content-sha256"}
    if not needed <= set(signed):
        raise Refused(403, "AccessDenied", f"There were headers present in the request which were not signed: {needed - set(signed)}")
    if not set(signed) <= set(headers):
        raise Refused(403, "SignatureDoesNotMatch", f"headers were signed that were not sent: {set(signed) - set(headers)}")
    if signature(environ, headers, signed) != named["Signature"] or not headers["x-amz-date"].startswith(date):
        raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
    if hashlib.sha256(body).hexdigest() != headers["x-amz-content-sha256"]:
        raise Refused(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")


def signature(environ, headers, signed):
    url = f"http://{headers['host']}{environ['RAW_URI']}"
    request = AWSRequest(environ["REQUEST_METHOD"], url, {name: headers[name] for name in signed})
    request.context["timestamp"] = headers["x-amz-date"]
    auth = S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION)
    # botocore would choose the headers itself; what counts here is what the client says it has signed.
    auth.headers_to_sign = lambda request: request.headers
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


class Front:
    def __init__(self):
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.writing = threading.Lock()

    def __call__(self, environ, start):
        if environ["PATH_INFO"] == "/ping":
            start("200 OK", [("Content-Length", "0")])
            return [b""]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            check(environ, body)
        except Refused as refused:
            status, code, message = refused.args
            text = ERROR.format(code, message, ACCESS_KEY).encode()
            start(STATUSES[status], [("Content-Type", "application/xml"), ("Content-Length", str(len(text)))])
            return [text]
        environ["wsgi.input"] = io.BytesIO(body)
        if environ["REQUEST_METHOD"] == "GET":
            return self.moto(environ, start)
        with self.writing:
            return list(self.moto(environ, start))


class QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


def exit_with_parent(parent):
    """A test that dies takes its server along."""
    while os.getppid() == parent:
        threading.Event().wait(1)
    os._exit(0)


threading.Thread(target=exit_with_parent, args=(os.getppid(),), daemon=True).start()
s3_backends["123456789012"]["aws"].create_bucket(BUCKET, REGION)
make_server("127.0.0.1", PORT, Front(), threaded=True, request_handler=QuietHandler).serve_forever()
