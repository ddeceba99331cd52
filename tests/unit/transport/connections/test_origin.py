"""An address of a service, and the head of a request to it."""

import pytest

from prodigon_lib.transport.connections.origin import origin_of


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "authority", "prefix"),
    [
        ("http://model:8001", "model", 8001, False, "model:8001", ""),
        ("http://model", "model", 80, False, "model", ""),
        ("https://model/", "model", 443, True, "model", ""),
        ("https://model:8443/inside/", "model", 8443, True, "model:8443", "/inside"),
        ("http://[::1]:8001", "::1", 8001, False, "[::1]:8001", ""),
        ("http://model:0", "model", 0, False, "model:0", ""),
        ("https://MODEL:443", "model", 443, True, "model", ""),
    ],
)
def test_an_address(url: str, host: str, port: int, tls: bool, authority: str, prefix: str) -> None:
    found = origin_of(url)
    assert (found.host, found.port, found.tls) == (host, port, tls)
    assert (found.authority, found.prefix) == (authority, prefix)


@pytest.mark.parametrize(
    "url",
    ["model:8001", "grpc://model:1", "http://", "http://me@model", "http://model?a=b", "http://model:x"],
)
def test_no_address(url: str) -> None:
    with pytest.raises(ValueError):
        origin_of(url)


def test_a_head() -> None:
    origin = origin_of("http://model:8001/inside")
    lines = origin.head("POST", "/a?b=c", {"X-One": "1", "X-Two": "größer"}, 7).decode().split("\r\n")
    assert lines == [
        "POST /inside/a?b=c HTTP/1.1",
        "Host: model:8001",
        "X-One: 1",
        "X-Two: größer",
        "Content-Length: 7",
        "",
        "",
    ]
    assert b"Content-Length" not in origin.head("GET", "/", {}, None)


@pytest.mark.parametrize(
    "inside", ["\r\nX-Evil: 1", "\nX-Evil: 1", "\r", "\n", "\0", "\r\n\r\nGET /evil HTTP/1.1"]
)
def test_nothing_begins_a_line_of_its_own(inside: str) -> None:
    origin = origin_of("http://model")
    for path, headers in (
        (f"/a{inside}", {}),
        ("/a", {"X-One": f"1{inside}"}),
        ("/a", {f"X-One{inside}": "1"}),
    ):
        with pytest.raises(ValueError, match="line break"):
            origin.head("GET", path, headers, None)


@pytest.mark.parametrize("path", ["/a b", "/ä", "/a HTTP/1.0"])
def test_a_path_is_encoded(path: str) -> None:
    with pytest.raises(ValueError, match="not encoded"):
        origin_of("http://model").head("GET", path, {}, None)
