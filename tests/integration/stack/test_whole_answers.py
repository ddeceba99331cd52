"""An answer leaves a service in one piece: one that was half sent can't be asked for a second time."""

import socket
from urllib.parse import urlsplit

from prodigon_lib import Stack

BODY = b'{"prompt": "What is a head?", "max_tokens": 8}'
ASKS = b"POST /inference HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n"


def test_the_head_comes_with_the_body(stack: Stack) -> None:
    place = urlsplit(stack.urls["model"])
    assert place.hostname is not None
    assert place.port is not None
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        for _ in range(20):
            connection.sendall(ASKS + LENGTH % len(BODY) + BODY)
            head, _, body = connection.recv(65_536).partition(b"\r\n\r\n")
            assert b"200 OK" in head
            assert body.endswith(b"}")
