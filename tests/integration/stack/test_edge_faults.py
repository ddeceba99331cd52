"""Faults between the services of a running stack, set through it."""

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from prodigon_lib import Client, Stack
from prodigon_lib.core.errors import ProdigonError, StackError, UpstreamError, UpstreamUnavailable
from tests.conftest import SETTINGS
from tests.integration.stack.processes import commands_below, footprint
from tests.polling import eventually_sync

QUICK = {"LEASE_SECONDS": 3}
"""A claim whose answer was cut off waits for the end of its lease."""

LONG_AGO = 0.5


@pytest.fixture(scope="module")
def faulty(stack_home: Path) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(name, raising=False)
        patch.setenv("PRODIGON_HOME", str(stack_home))
        running = Stack.start(
            "harmed", replicas={"worker": 2}, profile="instant", faults=True, settings=QUICK
        )
    yield running
    running.stop(force=True)


@pytest.fixture
def client(faulty: Stack) -> Iterator[Client]:
    with faulty.client() as opened:
        yield opened
    faulty.faults.clear()


def seconds(client: Client) -> float:
    began = time.perf_counter()
    assert client.generate("What is a lease?").text
    return time.perf_counter() - began


def test_every_edge_has_a_name(faulty: Stack) -> None:
    assert {edge.name for edge in faulty.faults} == {
        "gateway→model",
        "gateway→worker",
        "gateway→postgres",
        "worker→model",
        "worker→postgres",
    }
    assert "gateway→model: no faults" in repr(faulty.faults)


def test_a_slow_way_to_the_model(faulty: Stack, client: Client) -> None:
    with faulty.faults["gateway→model"].set(latency=LONG_AGO) as edge:
        assert edge.get() == {"latency": LONG_AGO}
        assert seconds(client) >= LONG_AGO
    assert edge.get() == {}
    assert seconds(client) < LONG_AGO


def test_a_model_that_nobody_reaches(faulty: Stack, client: Client) -> None:
    with faulty.faults["gateway→model"].set(refuse=True), pytest.raises(UpstreamUnavailable):
        client.generate("What is a lease?")
    assert client.generate("What is a lease?").text


def test_the_same_seed_drops_the_same_requests(faulty: Stack, client: Client) -> None:
    def answered() -> list[bool]:
        found = []
        faulty.faults.edge("gateway", "model").cut()
        faulty.faults.edge("gateway", "model").set(drop=0.3, seed=4)
        for number in range(20):
            try:
                found.append(bool(client.generate(f"What is a lease? {number}").text))
            except ProdigonError:
                found.append(False)
        return found

    once = answered()
    assert 0 < once.count(False) < 15
    assert answered() == once


def test_a_stream_that_breaks_off(faulty: Stack, client: Client) -> None:
    tokens = []
    faulty.faults["gateway→model"].set(cut_after=600)
    with pytest.raises(UpstreamError):
        tokens += client.stream("What is a lease?")


def test_jobs_survive_a_cut_way_to_postgres(faulty: Stack, client: Client) -> None:
    job = client.submit_job([f"What is {number}?" for number in range(50)])
    assert faulty.faults["worker→postgres"].cut() > 0
    assert None not in job.wait(timeout=60).results


def test_a_killed_proxy_comes_back_with_its_faults(faulty: Stack, client: Client) -> None:
    faulty.faults["gateway→model"].set(latency=LONG_AGO)
    faulty.kill("proxy")
    eventually_sync(lambda: faulty.status().part("proxy").restarts and faulty.status().healthy)
    assert faulty.faults["gateway→model"].get() == {"latency": LONG_AGO}
    assert seconds(client) >= LONG_AGO


def test_wrong_wishes_are_one_line(faulty: Stack) -> None:
    with pytest.raises(StackError, match="no edge model→gateway"):
        faulty.faults["model→gateway"]
    with pytest.raises(StackError, match="did you mean latency"):
        faulty.faults["gateway→model"].set(latncy=1)


def test_without_faults_there_is_no_proxy(stack: Stack) -> None:
    assert "proxy" not in [part.name for part in stack.status()]
    with pytest.raises(StackError, match="faults=True"):
        _ = stack.faults
    assert not proxies(stack)


def proxies(stack: Stack) -> list[str]:
    below = commands_below(stack.status().supervisor)
    return [command for command in below if "edges.proxy" in command]


def test_the_proxy_is_gone_with_its_stack() -> None:
    running = Stack.start("brief", profile="instant", faults=True)
    status = running.status()
    assert "proxy" in status.pids
    assert len(proxies(running)) == 1
    left = footprint(status.pids, running.urls)
    running.stop()
    assert left.is_gone()


def test_the_guard_ends_the_proxy_of_a_killed_supervisor() -> None:
    running = Stack.start("brief", profile="instant", faults=True)
    status = running.status()
    left = footprint(status.pids, running.urls)
    psutil.Process(status.supervisor).kill()
    eventually_sync(left.is_gone)
