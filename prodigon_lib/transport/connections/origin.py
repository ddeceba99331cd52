"""Where a service is, and the head of a request to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """`authority` is the `Host` header's value; `prefix` comes before each path."""

    host: str
    port: int
    tls: bool
    authority: str
    prefix: str

    def head(self, method: str, path: str, headers: Mapping[str, str], length: int | None) -> bytes:
        """Of a request with `length` bytes of body, or without one.

        Raises:
            ValueError: the path or a header would end its line, and begin one of its own.
        """
        lines = [f"{method} {self.prefix}{path} HTTP/1.1", f"Host: {self.authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        head = "\r\n".join(lines) + "\r\n\r\n"
        ends = len(lines) + 1
        if head.count("\n") != ends or head.count("\r") != ends or "\0" in head:
            raise ValueError("a path or a header of a call has a line break in it")
        if " " in path or not path.isascii():
            raise ValueError("the path of a call is not encoded")
        return head.encode()


def origin_of(url: str) -> Origin:
    """Raises: ValueError: it is no address of an HTTP service, or names a user."""
    parts = urlsplit(url)
    if (
        parts.scheme not in PORTS
        or not parts.hostname
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise ValueError("the address of a service is http://host:port or https://host:port")
    default = PORTS[parts.scheme]
    port = default if parts.port is None else parts.port
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port == default else f"{host}:{port}"
    return Origin(parts.hostname, port, parts.scheme == "https", authority, parts.path.rstrip("/"))
