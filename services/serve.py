"""What an image runs: `python -m services.serve gateway --port 8000`.

The application is that of `uvicorn services.gateway.main:app`. How long uvicorn waits at its end is
SHUTDOWN_SECONDS, which a command in a Dockerfile can't read.
"""

import argparse
import sys
from importlib import import_module

from prodigon_lib.stack.serve import FAILED, server_options
from services.termination import end_when_told

SERVICES = ("gateway", "model", "worker", "monolith")


def main(arguments: list[str] | None = None) -> int:
    wish = parse(arguments)
    end_when_told()  # until uvicorn takes over
    import uvicorn

    from prodigon_lib.core.http.server import FairServer
    from prodigon_lib.core.logging import log_the_uncaught

    app = import_module(f"services.{wish.service}.main").app
    log_the_uncaught()
    options = server_options(app.state.service.settings)
    server = FairServer(uvicorn.Config(app, host=wish.host, port=wish.port, **options))
    server.run()
    return 0 if server.started else FAILED


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m services.serve")
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104 (a container has a network of its own)
    parser.add_argument("--port", type=int, required=True)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
