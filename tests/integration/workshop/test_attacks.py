"""The attack suite against a stack without accounts, where much of it gets through."""

from prodigon_lib import Stack
from prodigon_lib.workshop.attacks import Risk, raid

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
