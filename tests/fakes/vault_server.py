"""A server that speaks as much of Vault's API as a key-value engine of version 2 needs, on loopback.

with vault_server() as vault:
    vault.write("secret/prodigon", {"GROQ_API_KEY": "…"})
    ... hvac.Client(url=vault.url, token=vault.token)
"""

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class VaultServer:
    """The records by their path, each with all versions of it; `None` is a deleted one."""

    def __init__(self) -> None:
        self.url = ""
        self.token = secrets.token_urlsafe(24)
        self.records: dict[str, list[dict[str, str] | None]] = {}
        self.reads = 0
        self.fault: int | None = None

    def write(self, path: str, data: dict[str, str]) -> None:
        self.records.setdefault(path, []).append(data)

    def delete(self, path: str) -> None:
        self.records[path][-1] = None

    def answer(self, method: str, path: str, token: str | None, body: bytes) -> tuple[int, dict[str, Any]]:
        if self.fault is not None:
            return self.fault, {"errors": ["the server's own words"]}
        if token != self.token:
            return 403, {"errors": ["permission denied"]}
        mount, _, record = path.removeprefix("/v1/").partition("/data/")
        name = f"{mount}/{record}"
        if method in ("POST", "PUT"):
            self.write(name, json.loads(body)["data"])
            return 200, {"data": {"version": len(self.records[name])}}
        self.reads += 1
        versions = self.records.get(name)
        if not versions:
            return 404, {"errors": []}
        about = {"version": len(versions), "destroyed": False, "deletion_time": ""}
        if versions[-1] is None:
            about["deletion_time"] = "2026-01-01T00:00:00Z"
            return 404, {"data": {"data": None, "metadata": about}}
        return 200, {"data": {"data": versions[-1], "metadata": about}}


@contextmanager
def vault_server() -> Iterator[VaultServer]:
    vault = VaultServer()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = vault.answer(self.command, self.path, self.headers.get("X-Vault-Token"), body)
            encoded = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        do_GET = do_POST = do_PUT = handle_any

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    vault.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield vault
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
