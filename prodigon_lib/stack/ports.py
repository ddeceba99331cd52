"""Ports of loopback: taken by listening on them, so that nobody else gets them in between."""

import contextlib
import errno
import socket
from collections.abc import Mapping

from prodigon_lib.core.errors import StackError

HOST = "127.0.0.1"
BACKLOG = 4096
PREFERRED = {"gateway": 8000, "model": 8001, "worker": 8002, "model-grpc": 8003}


ATTEMPTS = 50
"""Free ports that may turn out to be another stack's before we give up."""


class Ports:
    """The ports of one stack, kept from other stacks until `close`.

    A service that died leaves its port free until it is revived, and another stack that starts just then
    would take it. So a stack holds the UDP port of the same number for each of its ports: the services speak
    no UDP, every system gives it to one process only, and takes it back when that process ends.
    """

    def __init__(self) -> None:
        self._marks: list[socket.socket] = []

    def asked(self, port: int, setting: str) -> socket.socket:
        """Listen on the port that a setting named.

        Raises:
            StackError: it is taken, kept by another stack, or not allowed; the message names the setting.
        """
        listener = listen_where_asked(port, setting)
        if self._keep(port):
            return listener
        listener.close()
        raise StackError(
            f"{setting}: port {port} is kept by another stack, or taken for UDP; set it to another port"
        )

    def free(self, preferred: int = 0) -> socket.socket:
        """Listen on the preferred port, or on any when that is taken or kept by another stack.

        Raises:
            StackError: there is none.
        """
        passed_over = []
        try:
            for wanted in (preferred, *(0,) * ATTEMPTS):
                listener = listen_where_free(wanted)
                if self._keep(listener.getsockname()[1]):
                    return listener
                passed_over.append(listener)  # kept open, so that the next one is another
        finally:
            for listener in passed_over:
                listener.close()
        raise StackError(f"no free port on {HOST}: other stacks keep all that were found")

    def close(self) -> None:
        while self._marks:
            self._marks.pop().close()

    def _keep(self, port: int) -> bool:
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind((HOST, port))
        except OSError:
            mark.close()
            return False
        self._marks.append(mark)
        return True


def listen(port: int) -> socket.socket:
    """Listen on a port of loopback; 0 takes a free one.

    Raises:
        OSError: it is taken, or not allowed.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def listen_where_asked(port: int, setting: str) -> socket.socket:
    """Listen on the port that a setting named.

    Raises:
        StackError: it is taken, or not allowed; the message names the setting and who has the port.
    """
    try:
        return listen(port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StackError(
                f"{setting}: port {port} is taken{taken_by(port)}; end that, or set {setting} to another port"
            ) from None
        if error.errno == errno.EACCES:
            raise StackError(f"{setting}: port {port} needs root; set {setting} to one above 1023") from None
        raise


def listen_where_free(preferred: int) -> socket.socket:
    """Listen on the preferred port, or on any when that is taken."""
    with contextlib.suppress(OSError):
        return listen(preferred)
    try:
        return listen(0)
    except OSError as error:
        raise StackError(f"no free port on {HOST}: {error.strerror}") from None


def numbers(sockets: Mapping[str, socket.socket]) -> dict[str, int]:
    """The port of each."""
    return {name: each.getsockname()[1] for name, each in sockets.items()}


def hold(listener: socket.socket) -> socket.socket:
    """In place of a socket that listens, one that only keeps others from the port: for a service that must
    listen by itself, as gRPC does. A caller is refused meanwhile."""
    port = listener.getsockname()[1]
    listener.close()
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((HOST, port))
    return held


def taken_by(port: int) -> str:
    """The process that listens on the port, as ` by NAME (pid N)`; nothing when the system does not tell."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listens and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""
