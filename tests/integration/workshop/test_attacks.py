"""The attack suite: much gets through a stack without accounts, and nothing through a protected one."""

from prodigon_lib import Stack
from prodigon_lib.workshop.attacks import Risk, raid, two_users

OPEN = {
    "read another's session", "cancel another's job", "ask without a credential", "a flood",
    "past the gateway, to the model", "long answers, one after the other",
}  # fmt: skip
CLOSED = {"a body without end", "more than a ceiling allows", "errors that tell of the inside", "a deep body"}


async def test_an_open_stack_falls_to_many_attacks() -> None:
    with await Stack.astart("attacked", profile="instant") as stack:
        doors = {name: stack.urls[name] for name in ("model", "worker")}
        board = await raid(stack.url, doors=doors, name="open")
    through = {outcome.attack.name for outcome in board.through}
    assert board.untried == []
    assert through >= OPEN
    assert not through & CLOSED
    assert {outcome.attack.risk for outcome in board.through} >= {
        Risk.OBJECTS,
        Risk.AUTHENTICATION,
        Risk.FLOWS,
    }


async def test_nothing_gets_through_a_protected_stack() -> None:
    limits = {"RATE_LIMIT": "200/minute", "TOKEN_QUOTA": 20_000}
    with await Stack.astart("defended", profile="instant", auth=True, settings=limits) as stack:
        doors = {name: stack.urls[name] for name in ("model", "worker")}
        board = await raid(stack.url, users=await two_users(stack.url), doors=doors, name="protected")
    assert [outcome.transcript for outcome in (*board.through, *board.untried)] == []
