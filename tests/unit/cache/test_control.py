"""What a request may say of stored answers, and what an answer says of itself."""

import pytest

from prodigon_lib.cache.control import Wish, read_wish, status_headers
from prodigon_lib.cache.responses import Outcome, Response


@pytest.mark.parametrize(
    ("header", "wish"),
    [
        (None, Wish()),
        ("", Wish()),
        ("max-age=60", Wish(60)),
        ("MAX-AGE=60, private", Wish(60)),
        ("no-cache", Wish(0)),
        ("no-cache, max-age=60", Wish(0)),
        ("max-age=60, no-cache", Wish(0)),
        ("no-store", Wish(None, False)),
        ("max-age=soon", Wish()),
        ("max-age=-1", Wish()),
        ("max-age=99999999999999999999", Wish()),
        ("max-age=²", Wish()),
        (",,=,;", Wish()),
    ],
)
def test_a_wish(header: str | None, wish: Wish) -> None:
    assert read_wish(header) == wish


@pytest.mark.parametrize(
    ("response", "headers"),
    [
        (Response(b"", Outcome.HIT, 61.9), {"Cache-Status": "prodigon; hit", "Age": "61"}),
        (Response(b"", Outcome.MISS, stored=True), {"Cache-Status": "prodigon; fwd=miss; stored"}),
        (Response(b"", Outcome.MISS), {"Cache-Status": "prodigon; fwd=miss"}),
        (Response(b"", Outcome.JOINED), {"Cache-Status": "prodigon; fwd=miss; collapsed"}),
        (Response(b"", Outcome.REFRESHED, stored=True), {"Cache-Status": "prodigon; fwd=request; stored"}),
        (Response(b"", Outcome.BYPASSED), {"Cache-Status": "prodigon; fwd=bypass"}),
    ],
)
def test_what_an_answer_says(response: Response, headers: dict[str, str]) -> None:
    assert status_headers(response) == headers
