"""Hostile bodies, drawn anew for each run: what a broken client sends, and what an attacker does."""

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

TEXTS = (
    "", " ", "\0", "a\0b", "\ud800", "x\udfff", "\u202etxt", "é" * 100, "💥", "%00", "../../etc/passwd",
    "{{7*7}}", "' OR 1=1 --", "\r\nSet-Cookie: a=b", "x" * 4001, "x" * 10**5, "\ufeff", "NaN",
)  # fmt: skip
NUMBERS = (
    0,
    -1,
    1,
    2**31,
    2**63,
    -(2**64),
    10**40,
    0.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
)
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"a": {"b": [None]}}, [None] * 50)
URLS = (
    "", "http://", "http://[::1", "http://[v1.x]/", "//127.0.0.1/", "http:///x", "http://a:b:c/", "http://x:-1/",
    "http://x:99999/", "http://\0/", "http://\ud800.example/", "http://" + "a" * 70 + ".example/", "http://..../",
    "http://%31%32%37.0.0.1/", "javascript:alert(1)", "http://user:pw@/", "http://xn--/", "http://e\u0301.test/",
    "HTTP://EXAMPLE.INVALID", "http://[fe80::1%25lo]/", "http://[fe80::1%lo]/", "\nhttp://x/", "http://999.1.1.1/",
    "http://nowhere.invalid/", "http://1.2.3.4.5/", "?", "x" * 100_000,
)  # fmt: skip
RAW = (
    b"", b"{", b"[]", b"null", b"NaN", b'"text"', b"\xff\xfe\x00", b"\xef\xbb\xbf{}",
    b"[" * 10**5, b"\0" * 999,
    b'{"texts": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", b'{"max_tokens": ' + b"9" * 6000 + b"}",
    b'{"texts": ["\\ud800"]}', b'{"texts": "\\udfff"}', b'{"texts": NaN}', b'{"texts": ["\\u0000"]}',
    b'{"texts": ["a"], "temperature": NaN}', b'{"texts": ["a"], "temperature": Infinity}',
    b'{"texts": ["a"], "texts": {"\\udc00": "\\udc00"}}', b'{"\\ud800": 1}',
    '{"texts": ["é"]}'.encode("utf-16"),
    b'{"url": "\\ud800"}', b'{"url": ["\\ud800"]}',
)  # fmt: skip
KINDS = (
    "application/json", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16",
    "multipart/form-data", "x", "",
)  # fmt: skip


def bodies(draw: Random, count: int, urls: Sequence[str]) -> Iterator[tuple[str, bytes, str]]:
    """A path, a body and its content type: each of the known bad ones, `urls`, and `count` that are drawn."""
    for path in ("/summaries", "/pages"):
        for raw in RAW:
            yield path, raw, KINDS[0]
        for kind in KINDS:
            yield path, b'{"texts": ["a"], "url": "http://nowhere.invalid/"}', kind
    for url in (*URLS, *urls):
        yield "/pages", json.dumps({"url": url}).encode(), KINDS[0]
    for text in TEXTS:
        yield "/summaries", json.dumps({"texts": ["fine", text]}).encode(), KINDS[0]
    for _ in range(count):
        yield "/summaries", json.dumps(drawn(draw)).encode(), KINDS[0]


def drawn(draw: Random) -> dict[str, Any]:
    """A body with a wrong thing in one place, or in several."""
    body: dict[str, Any] = {"texts": ["fine"], "max_tokens": 5, "temperature": 0.5}
    for name in draw.sample(sorted(body), draw.randint(1, 3)):
        wrong = draw.choice((draw.choice(TEXTS), draw.choice(NUMBERS), draw.choice(OTHERS)))
        body[name] = [wrong] if name == "texts" and draw.random() < 0.6 else wrong
    if draw.random() < 0.3:
        body.pop(draw.choice(sorted(body)))
    return body
