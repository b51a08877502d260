"""AWS Lambda in small: an HTTP API whose requests become events, and the Runtime API that functions take them from."""

import base64
import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

SAFE = {"GET", "HEAD", "OPTIONS"}
METHODS = SAFE | {"POST", "PATCH", "PUT", "DELETE"}
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:adledger"
MOST = 6 * 2**20
"""What an event or an answer may hold, in bytes."""


@dataclass
class Function:
    """One environment of a function: its events, its answers, and how long it took to ask for the first event."""

    events: "queue.Queue[tuple[str, bytes]]" = field(default_factory=queue.Queue)
    answers: "dict[str, queue.Queue[dict[str, Any]]]" = field(default_factory=dict)
    started: float = 0.0
    cold_start: float | None = None

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the function's answer to an event; raises `AssertionError` with its error."""
        body = json.dumps(event).encode()
        assert len(body) <= MOST, "the event is larger than Lambda takes"
        request_id = str(uuid4())
        self.answers[request_id] = queue.Queue()
        self.events.put((request_id, body))
        return self.answers[request_id].get(timeout=60)


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def read(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)


@contextmanager
def _serving(handler: type[_Quiet]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def run(command: list[str | Path], folder: Path, environment: dict[str, str]) -> Iterator[Function]:
    """Run a function's process against a Runtime API of its own, until the context ends."""
    function = Function()

    class RuntimeApi(_Quiet):
        def do_GET(self) -> None:
            if function.cold_start is None:
                function.cold_start = time.monotonic() - function.started
            request_id, event = function.events.get()
            headers = {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 30_000),
                "Lambda-Runtime-Invoked-Function-Arn": ARN,
                "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
            }
            self.answer(200, event, headers)

        def do_POST(self) -> None:
            body = self.read()
            *_, request_id, what = self.path.split("/")
            given = json.loads(body) if what == "response" else {"statusCode": 502, "body": body.decode()}
            if request_id in function.answers:
                function.answers[request_id].put(given)
            self.answer(202)

    with _serving(RuntimeApi) as address:
        settings = {
            "AWS_LAMBDA_RUNTIME_API": address,
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            **environment,
        }
        function.started = time.monotonic()
        with subprocess.Popen(command, cwd=folder, env=settings) as process:
            try:
                yield function
            finally:
                process.kill()


@contextmanager
def http_api(reads: Function, writes: Function) -> Iterator[str]:
    """Serve both functions at one address, by method; yields its URL."""

    def handle(request: _Quiet) -> None:
        function = reads if request.command in SAFE else writes
        answer = function.invoke(_event(request, request.read()))
        body = answer.get("body") or ""
        raw = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        request.answer(answer["statusCode"], raw, answer.get("headers"))

    api = type("HttpApi", (_Quiet,), {f"do_{method}": handle for method in METHODS})
    with _serving(api) as address:
        yield f"http://{address}"


def _event(request: _Quiet, body: bytes) -> dict[str, Any]:
    """Return a request as an HTTP API hands it over: payload format 2.0."""
    url = urlsplit(request.path)
    headers = {name.lower(): value for name, value in request.headers.items()}
    http = {"method": request.command, "path": url.path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": url.path,
        "rawQueryString": url.query,
        "headers": headers,
        "requestContext": {"http": http, "stage": "$default", "domainName": headers.get("host", "")},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
