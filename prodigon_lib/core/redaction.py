"""Takes secrets out of what a process writes down: those it knows by their value, and what looks like one.

A secret gets into a line by way of an exception that quotes it, a library that logs a header, a path that
somebody typed. No author of a log line can rule that out, so each finished line passes here.

Every pattern is a fixed beginning and then a run of characters that can't begin it anew, so that the time of
a hostile line grows with its length and no faster.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import parse_qsl, quote, unquote, urlsplit

REDACTED = "[redacted]"

SHORTEST = 8
"""Characters of a value that is looked for alone. A shorter one is part of too many other words."""

SHORTEST_PLAIN = 16
"""The same, of letters only or digits only: `postgres` may be a password, and is a name in many lines."""

SHORTEST_PART = 24
"""The same, of a part of a list of keys: the names of its keys are no secret, and shorter."""

MOST_KNOWN = 256
"""Spellings that are looked for; beyond that the oldest go. Each rotation adds some."""

PASSWORD_FIELDS = tuple(
    "password sslpassword passwd token access_token refresh_token api_key client_secret secret".split()
)

RUN = "[A-Za-z0-9_-]"
SHAPES: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (
        ("earer ",),
        re.compile(
            r"\b(bearer) {1,8}(?:[A-Za-z0-9._~+/=-]{20,}|(?=[A-Za-z._~+/=-]{0,19}\d)[A-Za-z0-9._~+/=-]{8,})",
            re.IGNORECASE,
        ),
        rf"\1 {REDACTED}",
    ),
    (("pdg_", "pdr_"), re.compile(rf"pd[gr]_{RUN}{{16,}}"), REDACTED),
    (("gsk_",), re.compile(r"(?<![A-Za-z0-9])gsk_[A-Za-z0-9]{16,}"), REDACTED),
    (("sk-",), re.compile(rf"(?<![A-Za-z0-9_-])sk-{RUN}{{20,}}"), REDACTED),
    (("hvs.",), re.compile(rf"(?<![A-Za-z0-9])hvs\.{RUN}{{20,}}"), REDACTED),
    (("eyJ",), re.compile(r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_.-]{20,}"), REDACTED),
    (
        ("-----BEGIN",),
        re.compile(
            r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)(?:\\[nr]|\s){0,8}[A-Za-z0-9+/=]{16}"
            r"(?:[A-Za-z0-9+/=\s]|\\[nr])*+(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
        ),
        rf"\1{REDACTED}",
    ),
    (("@",), re.compile(r"(://[^\s/:@\"'\\]{0,200}:)[^\s/@\"']{1,500}@"), rf"\1{REDACTED}@"),
    (
        ("=",),
        re.compile(rf"([?&](?:{'|'.join(PASSWORD_FIELDS)})=)[^\s&#\"'\\]{{1,500}}"),
        rf"\1{REDACTED}",
    ),
)
"""What must be in a text for the pattern to be tried at all, the pattern, and what takes its place.

Looking for a few short strings costs a fraction of what a pattern costs, and nearly every line has none.
"""


class Redactor:
    """Knows some secrets by value, and the shapes of credentials.

    redactor = Redactor()
    redactor.learn([settings.groq_api_key.get_secret_value()])
    redactor.redact("refused: Bearer gsk_…")  # "refused: Bearer [redacted]"
    """

    def __init__(self) -> None:
        self._learnt: dict[str, None] = {}
        self._known: tuple[str, ...] = ()
        self.learnings = 0
        """How often it learnt something: what was redacted before may hold what it knows since."""
        self._marks = tuple((mark, shape) for shape, (marks, _, _) in enumerate(SHAPES) for mark in marks)

    def learn(self, values: Iterable[str]) -> None:
        """From now on these, and the secrets inside of them (the password of a URL), are taken out."""
        for value in values:
            for spelling in (way for secret in secrets_in(value) for way in spellings(secret)):
                self._learnt.pop(spelling, None)
                self._learnt[spelling] = None
        self._learnt = dict.fromkeys(list(self._learnt)[-MOST_KNOWN:])
        # A secret that holds another goes first, or a piece of it would be left.
        self._known = tuple(sorted(self._learnt, key=len, reverse=True))
        self.learnings += 1

    def redact(self, text: str) -> str:
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, REDACTED)
        for mark, shape in self._marks:
            if mark in text:
                _, pattern, instead = SHAPES[shape]
                text = pattern.sub(instead, text)
        return text


def secrets_in(value: str) -> Iterator[str]:
    """What is secret of a setting's value, where it is long and odd enough to be looked for alone."""
    for whole in passwords_of(value) if "://" in value else [value]:
        plain = whole.isalpha() or whole.isdigit()
        if len(whole) >= (SHORTEST_PLAIN if plain else SHORTEST):
            yield whole
            yield from (part for part in re.split(r"[,:\s]+", whole) if len(part) >= SHORTEST_PART)


def passwords_of(url: str) -> Iterator[str]:
    """The password of a URL, as it stands there and as it is meant, wherever it stands in it."""
    try:
        parts = urlsplit(url.strip())
        given = parts.password
    except ValueError:
        return
    if given:
        yield from (given, unquote(given))
    yield from (value for name, value in parse_qsl(parts.query) if name.lower() in PASSWORD_FIELDS)


def spellings(secret: str) -> dict[str, None]:
    """As it is, and as JSON, a URL and Python's `repr` write it."""
    ways: tuple[Callable[[str], str], ...] = (
        str,
        lambda text: json.dumps(text)[1:-1],
        lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
        lambda text: quote(text, safe=""),
        lambda text: repr(text)[1:-1],
    )
    return dict.fromkeys(way(secret) for way in ways)


OF_THIS_PROCESS = Redactor()
"""What must not be said is a matter of the whole process, as its output is."""


def learn(values: Iterable[str]) -> None:
    """This process takes these values out of all that it writes down."""
    OF_THIS_PROCESS.learn(values)


def redact(text: str) -> str:
    """`text` without the secrets that this process knows, and without what looks like one."""
    return OF_THIS_PROCESS.redact(text)
