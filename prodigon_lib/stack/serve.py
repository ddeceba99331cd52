"""Runs one service of the library, or the monolith, under uvicorn, from its settings.

python -m prodigon_lib.stack.serve SERVICE --port N [--socket FD] [--wait]

With `--wait` it loads everything, then waits for a line on its input before it starts: what takes longest
happens while Postgres is still starting. With `--socket` it takes over a socket that already listens.
"""

import argparse
import gc
import json
import socket
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.limits import spare_the_collector
from prodigon_lib.core.redaction import redact
from prodigon_lib.stack.environment import MONOLITH, SERVICES
from prodigon_lib.stack.ports import BACKLOG, HOST

if TYPE_CHECKING:
    from prodigon_lib.core.settings import Settings

REFUSED = 78
"""The exit code of a service that says why it can't start, in one line."""

FAILED = 3

REFUSAL = "refused to start"
KEEP_ALIVE_SECONDS = 75


def main(arguments: list[str] | None = None) -> int:
    wish = parse(arguments)
    gc.disable()  # nothing that loading makes is garbage: looking for some costs a sixth of the start
    import uvicorn

    from prodigon_lib.core.http.server import FairServer
    from prodigon_lib.core.logging import log_the_uncaught
    from prodigon_lib.core.settings import load_settings

    package = f"prodigon_lib.{wish.service}"
    create_app = import_module(f"{package}.app").create_app
    kind = getattr(import_module(f"{package}.settings"), f"{wish.service.title()}Settings")
    gc.freeze()
    gc.enable()
    if wish.wait and not sys.stdin.readline():
        return 0  # whoever started us is gone
    try:
        settings = load_settings(kind)
        app = create_app(settings)
        log_the_uncaught()
        sockets = [listener(wish.port, wish.socket)]
        spare_the_collector()
    except ProdigonError as error:
        refuse(wish.service, error.message)
        return REFUSED
    except OSError as error:
        refuse(wish.service, f"port {wish.port}: {error.strerror}")
        return REFUSED
    server = FairServer(uvicorn.Config(app, **server_options(settings)))
    server.run(sockets=sockets)
    return 0 if server.started else FAILED


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m prodigon_lib.stack.serve")
    parser.add_argument("service", choices=[*SERVICES, MONOLITH])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--socket", type=int, help="the descriptor of a socket that listens on the port")
    parser.add_argument("--wait", action="store_true", help="start once a line comes in")
    return parser.parse_args(arguments)


def server_options(settings: "Settings") -> dict[str, Any]:
    """Of uvicorn. Idle connections are kept longer than any client of ours keeps them.

    What a proxy says of its caller is for the services to read, which know whom they trust: uvicorn itself
    believes whoever is on this machine.
    """
    from prodigon_lib.core.http.protocol import LimitedProtocol

    return {
        "loop": "auto",
        "http": partial(LimitedProtocol, patience=settings.request_seconds),
        "proxy_headers": False,
        "ws": "none",
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "backlog": BACKLOG,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": max(1, round(settings.shutdown_seconds)),
    }


def listener(port: int, descriptor: int | None) -> socket.socket:
    if descriptor is not None:
        return socket.socket(fileno=descriptor)
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind((HOST, port))
    return opened


def refuse(service: str, message: str) -> None:
    """The one line that the supervisor looks for."""
    said = {"level": "error", "event": REFUSAL, "service": service, "message": message}
    print(redact(json.dumps(said)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
