"""A running stack: what it says of itself, and what is done to it."""

import asyncio
import os
import subprocess
import time
from urllib.request import urlopen

import psutil
import pytest

from prodigon_lib import Stack
from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import Health
from tests.polling import eventually_sync


def events(stack: Stack) -> list[str]:
    return [record["event"] for record in stack.logs("supervisor")]


def attached() -> Stack:
    return Stack.start("shared", replicas={"worker": 2, "model": 2}, profile="instant")


def test_status_has_a_row_for_each_process(stack: Stack) -> None:
    status = stack.status()
    names = ["gateway", "model", "model-2", "worker", "worker-2", "nginx", "postgres"]
    assert [part.name for part in status] == names
    assert status.healthy
    assert all(psutil.pid_exists(pid) for pid in status.pids.values())
    urls = {f"http://127.0.0.1:{part.port}" for part in status if part.port is not None}
    assert urls == set(stack.urls.values())
    assert status.held_by == (os.getpid(),)


def test_attaching_finds_the_same_processes_at_once(stack: Stack) -> None:
    started = time.perf_counter()
    same = attached()
    assert time.perf_counter() - started < 1.0  # a start takes longer; the README has the figure
    assert same.status().pids == stack.status().pids


def test_what_runs_is_held_whatever_it_was_started_with(stack: Stack) -> None:
    assert Stack.attach("shared").status().pids == stack.status().pids
    with pytest.raises(StackError, match="no stack 'nobodys' runs"):
        Stack.attach("nobodys")


async def test_it_works_inside_a_running_loop(stack: Stack) -> None:
    assert attached().urls == stack.urls
    there = await Stack.astart("shared", replicas={"worker": 2, "model": 2}, profile="instant")
    assert there.urls == stack.urls
    async with there.async_client() as client:
        assert (await client.generate("What is a lease?")).text
    assert asyncio.get_running_loop().is_running()


def test_nothing_listens_beyond_loopback(stack: Stack) -> None:
    for part in stack.status():
        listening = [c for c in psutil.Process(part.pid).net_connections("inet") if c.status == "LISTEN"]
        assert {connection.laddr.ip for connection in listening} <= {"127.0.0.1"}


def test_a_request_is_found_in_logs_and_trace_of_every_service(stack: Stack) -> None:
    with stack.client() as client:
        answer = client.generate("What is a lease?")
    spans = stack.trace(answer.request_id)
    assert {span.service for span in spans} == {"gateway", "model"}
    entry, call, served = spans[:3]
    assert (entry.children, call.children) == ((call,), (served,))
    assert (call.service, served.service) == ("gateway", "model")
    assert entry.start_ns <= call.start_ns <= served.start_ns <= served.end_ns
    records = lambda: stack.logs(request_id=answer.request_id)  # noqa: E731
    eventually_sync(lambda: {record["service"] for record in records()} == {"gateway", "model", "nginx"})
    assert {record["trace_id"] for record in records() if "trace_id" in record} == {entry.trace_id}


def test_a_killed_service_is_revived_on_its_port(stack: Stack) -> None:
    before = stack.status().part("worker")
    assert stack.kill("worker") == before.pid
    after = eventually_sync(
        lambda: (
            (part := stack.status().part("worker")).restarts > before.restarts
            and part.health is Health.HEALTHY
            and part
        ),
        within=20,
    )
    assert after.pid != before.pid
    assert after.port == before.port
    eventually_sync(lambda: events(stack)[-3:] == ["signalled", "died", "ready"])


def test_a_killed_postgres_is_revived(stack: Stack) -> None:
    stack.kill("postgres")
    eventually_sync(
        lambda: stack.status().part("postgres").restarts == 1 and stack.status().healthy, within=20
    )


def test_a_paused_service_is_silent_until_it_is_resumed(stack: Stack) -> None:
    stack.pause("worker-2")
    try:
        assert stack.status().part("worker-2").health is Health.SILENT
    finally:
        stack.resume("worker-2")
    eventually_sync(lambda: stack.status().healthy)


def test_a_service_that_there_is_none_of_is_named(stack: Stack) -> None:
    with pytest.raises(StackError, match="worker-2"):
        stack.kill("broker")


def test_the_simulated_model_is_set_on_every_replica(stack: Stack) -> None:
    assert stack.simulated.get()["profile"] == "instant"
    stack.simulated.set(seed=7)
    for name in ("model", "model-2"):
        with urlopen(f"{stack.urls[name]}/simulated", timeout=5) as answer:
            assert b'"seed":7' in answer.read()
    with pytest.raises(StackError, match="profile"):
        stack.simulated.set(profile="nonsense")
    stack.simulated.set(seed=0)


def test_a_service_has_no_secret_that_it_does_not_read(stack: Stack) -> None:
    environment = psutil.Process(stack.status().part("gateway").pid).environ()
    assert "DATABASE_URL" in environment
    assert not {"SIMULATED_PROFILE", "GROQ_API_KEY", "PYTEST_CURRENT_TEST"} & set(environment)


def test_a_service_is_small(stack: Stack) -> None:
    """The figure for an idle service is 110 MB; these have served a few requests."""
    sizes = {
        part.name: psutil.Process(part.pid).memory_info().rss / 1e6
        for part in stack.status()
        if part.name != "postgres"
    }
    assert max(sizes.values()) < 120, sizes


def test_no_descriptor_of_the_supervisor_reaches_a_service(stack: Stack) -> None:
    """A socket or lock that a service inherited would outlive the supervisor."""
    told = subprocess.run(
        ["ls", "-l", f"/proc/{stack.status().part('gateway').pid}/fd"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "running.lock" not in told.stdout
    assert "starting.lock" not in told.stdout
