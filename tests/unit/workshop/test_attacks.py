"""The attack suite keeps within its bounds, and says what it saw."""

import httpx
import pytest

from prodigon_lib.workshop.attacks import ATTACKS, Attack, Outcome, Risk, Scoreboard, raid
from prodigon_lib.workshop.attacks import raider as raiders
from prodigon_lib.workshop.attacks.attack import NotReady
from prodigon_lib.workshop.attacks.raider import Raider

URL = "http://127.0.0.1:8000"
TOKEN = f"eyJ{'t' * 30}"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """What a raider sends, answered with what it was told, and with a token."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"token": TOKEN, "path": request.url.path})

    real = httpx.AsyncClient
    monkeypatch.setattr(raiders.httpx, "AsyncClient", lambda **_: real(transport=httpx.MockTransport(answer)))
    return requests


@pytest.mark.parametrize(
    "url", ["http://example.com", "http://10.0.0.1:8000", "http://127.0.0.1.example.com"]
)
async def test_it_attacks_this_machine_alone(url: str) -> None:
    with pytest.raises(ValueError, match="this machine alone"):
        await raid(url)
    with pytest.raises(ValueError, match="this machine alone"):
        await raid(URL, doors={"model": url})


def test_every_risk_is_tried() -> None:
    assert {each.risk for each in ATTACKS} == set(Risk)
    assert len({each.name for each in ATTACKS}) == len(ATTACKS) >= 25
    assert all(each.through.endswith(".") for each in ATTACKS), (
        "a docstring says what it means to get through"
    )


async def test_it_sends_so_many_requests_and_no_more(
    asked: list[httpx.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raiders, "MOST_REQUESTS", 2)
    async with Raider(URL, {}, {}) as raider:
        for _ in range(2):
            await raider.ask("GET", "/")
        with pytest.raises(RuntimeError, match="may send 2 requests"):
            await raider.ask("GET", "/")
        with pytest.raises(RuntimeError, match="may send 2 requests"):
            await raider.storm("/", 1, at_once=1)
    assert len(asked) == 2


async def test_it_asks_as_one_of_two_users_or_as_nobody(asked: list[httpx.Request]) -> None:
    async with Raider(URL, {"victim": "Bearer one", "attacker": "Bearer two"}, {}) as raider:
        for who in ("victim", "attacker", "nobody"):
            await raider.ask("GET", "/", who=who)
        await raider.ask("GET", "/", headers={"Authorization": "Bearer three"})
    sent = [request.headers.get("authorization") for request in asked]
    assert sent == ["Bearer one", "Bearer two", None, "Bearer three"]


@pytest.mark.usefixtures("asked")
async def test_a_transcript_has_no_credential() -> None:
    async def act(raider: Raider) -> bool:
        """It does."""
        await raider.ask("POST", "/x", {"key": f"pdg_{'k' * 22}_{'s' * 43}", "mine": "Bearer the-users-own"})
        return True

    users = {"attacker": "Bearer the-users-own"}
    board = await raid(URL, users=users, attacks=[Attack("odd", Risk.FLOWS, "It does.", act)])
    transcript = board.transcript("odd")
    assert transcript.startswith("odd: got through\nIt does.\nattacker: POST /x")
    assert transcript.count("[redacted]") == 3
    assert not [each for each in ("ssss", "tttt", "own") if each in transcript]


@pytest.mark.usefixtures("asked")
async def test_what_could_not_be_laid_out_was_not_tried() -> None:
    async def act(_: Raider) -> bool:
        raise NotReady("the victim was answered 503")

    board = await raid(URL, attacks=[Attack("odd", Risk.FLOWS, "", act)])
    assert [outcome.why for outcome in board.untried] == ["the victim was answered 503"]
    assert board.through == []


def test_boards_stand_beside_each_other() -> None:
    async def act(_: Raider) -> bool:
        return True

    odd = Attack("odd", Risk.FLOWS, "", act)
    boards = [
        Scoreboard({name: [Outcome(odd, through, ())]}) for name, through in (("a", True), ("b", False))
    ]
    both = boards[0] + boards[1]
    assert both.table().rows == [(Risk.FLOWS, "odd", "through", "held off")]
    assert (both.count("a"), both.count("b")) == (1, 0)
    assert repr(both.grid()) == "What got through: a: 1 of 1; b: 0 of 1"
