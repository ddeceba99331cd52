"""No secret stays in what a process writes down, ordinary text stays, and the cost of a line is bounded."""

import base64
import json
import random
import string
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from prodigon_lib.core import logging
from prodigon_lib.core.logging import RequestLog
from prodigon_lib.core.redaction import MOST_KNOWN, REDACTED, Redactor
from prodigon_lib.core.settings import Settings

ROOT = Path(__file__).parents[3]
CURRICULUM = ROOT / "prodigon_lib/model/providers/simulated/curriculum"
LETTERS = string.ascii_letters + string.digits
LOT = random.Random(7)


def drawn(length: int, letters: str = LETTERS) -> str:
    """Drawn and not written down: the scan of this repository would find it."""
    return "a1" + "".join(LOT.choices(letters, k=length - 2))


JWT = ".".join(["ey" + "J" + drawn(20), drawn(60), drawn(43)])
PEM_BODY = [drawn(64, LETTERS + "+/") for _ in range(3)]
KIND = "PRIVATE KEY"
PEM = "\n".join([f"-----BEGIN {KIND}-----", *PEM_BODY, f"-----END {KIND}-----"])

SHAPES = {
    "bearer": ("Authorization: Bearer {}", drawn(40)),
    "small bearer": ("'authorization': 'bearer {}'", drawn(12)),
    "API key": ("no such key: {}", f"pdg_{drawn(22)}_{drawn(43)}"),
    "refresh token": ("refresh_token={}", f"pdr_{drawn(43)}"),
    "Groq key": ("Invalid API Key: {}.", f"gsk_{drawn(52)}"),
    "OpenAI key": ('"key": "{}"', f"sk-proj-{drawn(40)}"),
    "Vault token": ("token {} expired", f"hvs.{drawn(24)}"),
    "JWT": ("signature of {} is wrong", JWT),
    "JWT in a path": ("GET /callback/{}", JWT),
    "URL": ("can't connect to postgresql://prodigon:{}@db:5432/prodigon", drawn(9)),
    "URL without a user": ("redis://:{}@cache:6379/0", drawn(9)),
    "query": ("GET /login?user=ada&password={}&next=/", drawn(9)),
}


@pytest.mark.parametrize(("sentence", "secret"), SHAPES.values(), ids=SHAPES)
def test_what_looks_like_a_credential_goes(sentence: str, secret: str) -> None:
    said = Redactor().redact(sentence.format(secret))
    assert secret not in said
    assert said == sentence.format(REDACTED)


@pytest.mark.parametrize("written", [PEM, json.dumps({"key": PEM, "after": "kept"}), repr(PEM)])
def test_a_private_key_goes_whole_however_its_lines_are_written(written: str) -> None:
    said = Redactor().redact(written)
    assert not [line for line in PEM_BODY if line in said]
    assert "END" not in said
    assert ("kept" in said) == ("kept" in written)


def test_a_key_that_was_cut_goes_too() -> None:
    assert PEM_BODY[0] not in Redactor().redact(PEM[:80])


def test_a_line_of_json_stays_one() -> None:
    event = {"event": "; ".join(text.format(secret) for text, secret in SHAPES.values()), "n": 1, "key": PEM}
    assert json.loads(Redactor().redact(json.dumps(event)))["n"] == 1


ENVELOPE_KEY = base64.b64encode(LOT.randbytes(32)).decode()
ODD = 'p"ss\\wörd/1'


@pytest.mark.parametrize(
    ("setting", "secret"),
    [
        ("Tr0ub4dor&3", "Tr0ub4dor&3"),
        ("correct horse battery", "correct horse battery"),
        (f"postgresql://ada:{'Tr0ub4dor%263'}@db/prodigon", "Tr0ub4dor&3"),
        (f"postgresql://ada:{'Tr0ub4dor%263'}@db/prodigon", "Tr0ub4dor%263"),
        ("postgresql:///prodigon?host=/run&user=ada&password=Tr0ub4dor3", "Tr0ub4dor3"),
        ("redis://:Tr0ub4dor3@cache/0", "Tr0ub4dor3"),
        (f"2026-11:{ENVELOPE_KEY},2026-05:x", ENVELOPE_KEY),
        (ODD, ODD),
        (ODD, json.dumps(ODD)),
        (ODD, repr(ODD)),
    ],
)  # fmt: skip
def test_a_known_value_goes_in_each_of_its_spellings(setting: str, secret: str) -> None:
    redactor = Redactor()
    redactor.learn([setting])
    said = redactor.redact(f"login as ada with {secret} failed")
    assert secret.strip("\"'") not in said
    assert said.startswith("login as ada with ")
    assert said.endswith(" failed")


@pytest.mark.parametrize(
    "plain", ["", "short", "postgres", "12345678", "postgresql://postgres:postgres@db/x"]
)
def test_a_short_or_plain_word_is_left_in_peace(plain: str) -> None:
    redactor = Redactor()
    redactor.learn([plain])
    text = "postgres is short of 12345678 bytes in prodigon"
    assert redactor.redact(text) == text


def test_the_names_of_envelope_keys_are_no_secrets() -> None:
    redactor = Redactor()
    redactor.learn([f"production-2026:{base64.b64encode(bytes(32)).decode()}"])
    assert redactor.redact("it was sealed under production-2026") == "it was sealed under production-2026"


def test_a_secret_that_holds_another_leaves_nothing_of_itself() -> None:
    redactor = Redactor()
    redactor.learn(["abcd-1234", "abcd-1234-efgh-5678"])
    assert redactor.redact("x abcd-1234-efgh-5678 y") == f"x {REDACTED} y"


def test_what_is_known_has_a_bound_and_the_newest_stay() -> None:
    redactor = Redactor()
    redactor.learn(f"secret-number-{number}" for number in range(MOST_KNOWN + 1))
    assert "secret-number-0" in redactor.redact("secret-number-0 ")
    assert redactor.redact(f"secret-number-{MOST_KNOWN}") == REDACTED


LINES = [
    '{"method":"POST","path":"/api/v1/jobs/0198-4a/retry","status":202,"duration_ms":1.25,"event":"request",'
    '"level":"info","service":"gateway","request_id":"gateway-1f-00004","trace_id":"4bf92f3577b34da6a3ce929d0e"}',
    "2026-11-29 23:00:01.123 UTC [12] LOG:  checkpoint complete: wrote 45 buffers (0.3%)",
    "the model service does not answer at http://127.0.0.1:8001: [Errno 111] Connection refused",
    "Bearer authentication needs a bearer token, and the bearer of bad news",
    "disk-usage and task-0001-of-the-worker-number-17 at risk-level-is-rather-very-low",
    "write to ada@example.org, see https://example.org:8080/a@b?token=&limit=3",
    "postgresql:///prodigon?host=/tmp/x and postgresql://postgres@/prodigon?host=/s",
    f"set GROQ_API_KEY=gsk_… or an API key such as pdg_… and never -----BEGIN {KIND}-----",
]


@pytest.mark.parametrize("line", LINES)
def test_an_ordinary_line_stays_as_it_is(line: str) -> None:
    assert Redactor().redact(line) == line


def test_the_curriculum_stays_as_it_is() -> None:
    """What the simulated model says, and what the notebooks do."""
    sources = [*CURRICULUM.glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb"), ROOT / "README.md"]
    changed = [
        line
        for path in sources
        for line in path.read_text(encoding="utf-8").splitlines()
        if Redactor().redact(line) != line and "user:password@" not in line
    ]
    assert changed == []


HOSTILE = [
    "Bearer ", "bearer" + " " * 50, "pdg_", "-eyJ", "eyJ.", ".sk-", "sk-a", "gsk_", "hvs.", "://", "://a:",
    ":a@:", f"-----BEGIN {KIND}-----", "-----BEGIN A", f"{KIND}-----", f"-----BEGIN {KIND}-----{'A' * 16}",
    f"-----BEGIN {KIND}-----{'A' * 16}\\n", "?password=", "&token=a", "a", "\\n", "@",
]  # fmt: skip


@pytest.mark.parametrize("beginning", HOSTILE)
def test_a_hostile_line_takes_no_longer_than_its_length(beginning: str) -> None:
    """A pattern that looks again from each beginning would take minutes for as many characters."""
    marks = "@ PRIVATE KEY----- earer  password= eyJ pdg_"
    text = beginning * (1_000_000 // len(beginning)) + marks
    began = time.process_time()
    Redactor().redact(text)
    assert time.process_time() - began < 5


def test_a_line_costs_little_more_than_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The most frequent line of a service, with as many secrets known as a service has."""
    redactor = Redactor()
    redactor.learn([f"postgresql://ada:{drawn(20)}@db/x", f"redis://:{drawn(20)}@c", drawn(56), drawn(40)])
    lines = RequestLog("gateway", Settings(_env_file=None))

    def seconds(redact: Callable[[str], str]) -> float:
        monkeypatch.setattr(logging, "redact", redact)
        began = time.process_time()
        for _ in range(2000):
            lines.write("POST", "/api/v1/jobs/0198c2a4-7d1e/retry", 202, 0.00125)
        return time.process_time() - began

    with (tmp_path / "log").open("w") as file, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", file)
        plain, redacted = zip(*((seconds(str), seconds(redactor.redact)) for _ in range(9)), strict=True)
    assert min(redacted) / min(plain) < 2
