"""Harm done to a real stack through the dashboard's fault board, and all of it undone at once."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from prodigon_lib import Stack
from prodigon_lib.core.errors import BadRequest, StackError
from prodigon_lib.stack import Health
from prodigon_lib.widgets.dashboard.faults import FaultBench
from tests.polling import eventually_sync

STORES = ("postgres", "redis")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with TemporaryDirectory(prefix="prodigon-test-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRODIGON_HOME", folder)
        Path(folder).chmod(0o755)  # Postgres runs as a user of its own
        options = {"profile": "groq-llama-3.1-8b", "restart": "never", "faults": True}
        with Stack.start("harmed", settings={"CACHE": "redis"}, **options) as started:
            yield started


def stopped(stack: Stack) -> set[str]:
    return {part.name for part in stack.status() if part.health is Health.STOPPED}


def test_what_is_wrong_is_seen_and_undone_whoever_did_it(stack: Stack) -> None:
    bench = FaultBench(stack)
    before = bench.look()
    assert set(STORES) <= {process["name"] for process in before["processes"]}
    bench.use_profile("instant")
    bench.harm_model({"fail": 100})
    bench.harm_edge("gateway→model", "refused")
    stack.pause("gateway")
    for name in ("model", *STORES):
        bench.act(name, "kill")
    eventually_sync(lambda: stopped(stack) == {"model", *STORES})
    harmed = bench.look()
    assert harmed["model"] is None
    assert {p["name"] for p in harmed["processes"] if p["paused"]} == {"gateway"}
    assert {e["name"] for e in harmed["edges"] if e["fault"] == "refused"} == {"gateway→model"}
    assert bench.undo() == []
    assert bench.look() == before
    assert stack.status().healthy
    with stack.client() as client:
        assert client.generate("What is a lease?", max_tokens=5).text
        assert client.create_session("kept in Postgres").id


def test_a_model_that_runs_on_gets_its_own_speed_back(stack: Stack) -> None:
    bench = FaultBench(stack)
    before = bench.look()["model"]
    bench.use_profile("instant")
    bench.use_profile(None)
    bench.harm_model({"slow": 9, "limit": 5})
    assert bench.look()["model"] == {"profile": None, "harm": {"slow": 9, "fail": 0, "limit": 5, "cut": 0}}
    assert bench.undo() == []
    assert bench.look()["model"] == before


def test_what_can_not_be_undone_is_said_and_the_rest_is_undone(stack: Stack) -> None:
    bench = FaultBench(stack)
    bench.harm_edge("worker→model", "slow")
    bench.act("worker", "pause")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stack, "resume", refuse)
        left = bench.undo()
    assert "not today" in left
    assert all(edge["fault"] == "" for edge in bench.look()["edges"])
    assert bench.undo() == []
    with pytest.raises(BadRequest):
        bench.act("model", "mend")


def refuse(_: str) -> None:
    raise StackError("not today")
