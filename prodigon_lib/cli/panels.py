"""`prodigon app`: the panels as one page in the browser, without JupyterLab."""

import errno
import os
import secrets
import signal
import socket
import threading
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from prodigon_lib.cli.lab import SETTINGS, lab_mark
from prodigon_lib.cli.system import Name
from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.lease import LAB
from prodigon_lib.workshop.terminal import say

PORT = 8866
TRIED = 20
TOKEN = "JUPYTER_TOKEN"  # noqa: S105 (the name of the setting, which the kernels' server reads)
FOLDER = "PRODIGON_APP_FOLDER"
"""Where the command was given: a page's kernel starts elsewhere, in the folder of its notebook."""
STACK = "PRODIGON_APP_STACK"
PAGE = SETTINGS / "page.ipynb"
FORGOTTEN_SECONDS = 300
"""How long a page's kernel outlives the last sign of its page: a reload or a sleeping laptop takes less."""
FORGOTTEN_SECONDS_AT_LEAST = 10
"""A page that still loads gives no sign; on a busy machine it was forgotten with less."""


def panels(
    name: Name = "default",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser.")] = True,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The page's port; else 8866, or the next free one.")
    ] = None,
    forget_after: Annotated[
        int,
        typer.Option(
            min=FORGOTTEN_SECONDS_AT_LEAST,
            help="Seconds until a page that vanished lets go of its kernel and its stack.",
        ),
    ] = FORGOTTEN_SECONDS,
) -> None:
    """Show the panels as one page, until Ctrl+C: chat, jobs, dashboard, traces, and the lessons.

    They show the stack of that name as it runs; when none does, one is started.
    """
    if find_spec("voila") is None:
        raise StackError("Voilà is not installed: python -m pip install 'prodigon[lab]'")
    chosen = free_port(port)
    token = os.environ.get(TOKEN) or secrets.token_hex(24)
    os.environ |= page_environment(token, name)
    from voila.app import Voila  # after the environment is set, which it reads when it is loaded

    server = Voila.instance()
    server.initialize(voila_options(chosen, forget_after))
    server.voila_configuration.prelaunch_hook = give_xsrf_cookie
    address = f"http://127.0.0.1:{chosen}/"
    threading.Thread(target=announce, args=(address, token, browser), daemon=True).start()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins without
    server.start()


def give_xsrf_cookie(handler: Any, notebook: object, cwd: str) -> None:
    """Without its cookie, a page that was opened by its token may not end its kernel as it goes."""
    handler.xsrf_token  # noqa: B018 (reading it sets the cookie)


def free_port(asked: int | None) -> int:
    """The port that was asked for, else the first free one from `PORT` on.

    Raises:
        StackError: it is taken.
    """
    ports = [asked] if asked is not None else list(range(PORT, PORT + TRIED))
    for port in ports:
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError as error:
            if error.errno == errno.EACCES:
                raise StackError(f"port {port} is not yours to take: name one above 1023") from None
    if asked is not None:
        raise StackError(f"port {asked} is taken: name another, or none, and a free one is found")
    raise StackError(f"ports {PORT} to {PORT + TRIED - 1} are taken: name another with --port")


def voila_options(port: int, forget_after: int = FORGOTTEN_SECONDS) -> list[str]:
    """The token goes by the environment: other users of the machine can read a command line."""
    return [
        str(PAGE),
        "--no-browser",
        "--token",
        "--template=prodigon",
        f"--port={port}",
        "--Voila.ip=127.0.0.1",
        "--Voila.port_retries=0",
        "--Voila.log_level=ERROR",
        "--VoilaConfiguration.allow_template_override=NO",
        "--VoilaConfiguration.allow_theme_override=NO",
        f"--MappingKernelManager.cull_idle_timeout={forget_after}",
        f"--MappingKernelManager.cull_interval={max(1, min(60, forget_after // 2))}",
    ]


def page_environment(token: str, stack: str) -> dict[str, str]:
    """For the page's kernels, and for Voilà, which looks for our template along `JUPYTER_PATH`."""
    paths = [str(SETTINGS), *os.environ.get("JUPYTER_PATH", "").split(os.pathsep)]
    kept = os.pathsep.join(path for path in paths if path)
    named = {TOKEN: token, STACK: stack, FOLDER: str(Path.cwd())}
    return {**named, LAB: lab_mark(), "JUPYTER_PATH": kept}


def announce(address: str, token: str, browser: bool) -> None:
    """Say the address, and open it: both only once somebody listens there."""
    while not listens(address):
        threading.Event().wait(0.1)
    url = f"{address}?token={token}"
    say(f"The panels: {url}\nCtrl+C ends the page, and the stack that nobody else holds.")
    if browser:
        webbrowser.open(url)


def listens(address: str) -> bool:
    port = int(address.rstrip("/").rpartition(":")[2])
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
