"""nginx as a part of a stack: before three models and two gateways, killed, changed, harmed."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import psutil
import pytest

from prodigon_lib import Stack
from prodigon_lib.core.errors import ProdigonError, StackError
from prodigon_lib.stack import Health, listeners, ports
from prodigon_lib.stack.options import stack_options
from tests.conftest import SETTINGS
from tests.integration.nginx_program import needs_nginx
from tests.polling import eventually, eventually_sync

REQUESTS, IN_FLIGHT = 1000, 50


@pytest.fixture(scope="module")
def balanced(stack_home: Path) -> Iterator[Stack]:
    """A test leaves it as healthy and as balanced as it was."""
    needs_nginx()
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(name, raising=False)
        patch.setenv("PRODIGON_HOME", str(stack_home))
        replicas = {"model": 3, "gateway": 2}
        running = Stack.start("balanced", replicas=replicas, profile="instant", faults=True)
    yield running
    running.stop(force=True)


def inference(stack: Stack, since: int = 0) -> list[dict[str, Any]]:
    return [row for row in stack.logs("nginx", tail=None) if row.get("path") == "/inference"][since:]


async def load(url: str, count: int, at_once: int, during: Any = None) -> Counter[int]:
    statuses: Counter[int] = Counter()
    numbers = iter(range(count))

    async def caller(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            async with session.post(url, json={"prompt": f"{number}", "max_tokens": 20}) as response:
                await response.read()
                statuses[response.status] += 1

    async def interrupt() -> None:
        await eventually(lambda: statuses.total() >= count // 3, within=60)
        await asyncio.to_thread(during)

    async with aiohttp.ClientSession(headers={"X-Request-ID": uuid4().hex}) as session:
        await asyncio.gather(*(caller(session) for _ in range(at_once)), *([interrupt()] if during else []))
    return statuses


async def test_a_model_killed_under_load_fails_no_request(balanced: Stack) -> None:
    balanced.simulated.set(profile="groq-llama-3.1-8b")
    before = len(inference(balanced))
    try:
        url = f"{balanced.url}/api/v1/generate"
        statuses = await load(url, REQUESTS, IN_FLIGHT, during=lambda: balanced.kill("model-2"))
    finally:
        await eventually(lambda: balanced.status().healthy, within=30)
        balanced.simulated.set(profile="instant")
    assert statuses == {200: REQUESTS}
    await eventually(lambda: len(inference(balanced, before)) >= REQUESTS)
    rows = inference(balanced, before)
    assert len(rows) == REQUESTS  # neither the gateway's retries nor its breaker came into it
    tries = [row["sent"].split(", ") for row in rows]
    sent = [sum(size != "0" for size in each) for each in tries]
    assert 0 < sum(times > 1 for times in sent) <= IN_FLIGHT
    assert max(sent) == 2


def test_status_urls_and_logs_name_it(balanced: Stack) -> None:
    part = balanced.status().part("nginx")
    assert part.health is Health.HEALTHY
    assert balanced.url == balanced.urls["nginx-gateway"] == f"http://127.0.0.1:{part.port}"
    with balanced.client() as client:
        answer = client.generate("What is a lease?")
    eventually_sync(
        lambda: (
            {row["path"] for row in balanced.logs("nginx", request_id=answer.request_id)}
            == {"/api/v1/generate", "/inference"}
        )
    )
    eventually_sync(
        lambda: (
            {row["service"] for row in balanced.logs(request_id=answer.request_id)}
            == {"gateway", "model", "nginx"}
        )
    )


def test_it_listens_on_loopback_only_and_is_gone_with_its_workers_when_killed(balanced: Stack) -> None:
    before = balanced.status().part("nginx")
    family = [psutil.Process(before.pid), *psutil.Process(before.pid).children()]
    listening = [at for each in family for at in each.net_connections("inet") if at.status == "LISTEN"]
    assert {at.laddr.ip for at in listening} == {"127.0.0.1"}
    family[0].kill()  # the master alone, as the system's own killer would
    after = eventually_sync(
        lambda: (
            (part := balanced.status().part("nginx")).restarts > before.restarts
            and part.health is Health.HEALTHY
            and part
        ),
        within=20,
    )
    assert after.port == before.port
    eventually_sync(lambda: not any(each.is_running() for each in family))
    with balanced.client() as client:
        assert client.generate("Are you back?").text


async def test_it_is_balanced_anew_while_requests_run(balanced: Stack) -> None:
    url = f"{balanced.urls['gateway']}/api/v1/generate"
    wish = {"policy": "round_robin", "weights": {"model": 2}, "drained": ["model-3"]}
    try:
        statuses = await load(url, 300, 10, during=lambda: balanced.balancer.set(**wish))
        assert statuses == {200: 300}
        assert balanced.balancer.get() == wish
        before = balanced.balancer.answered()
        assert await load(url, 30, 1) == {200: 30}
        assert balanced.balancer.answered() - before == {"model": 20, "model-2": 10}
        with pytest.raises(StackError, match="two_choices"):
            balanced.balancer.set(policy="fastest")
        assert balanced.balancer.get() == wish
    finally:
        balanced.balancer.set(policy="least_connections", weights={}, drained=[])


async def test_a_crowd_notices_nothing_of_many_changes(balanced: Stack) -> None:
    """Each change ends the idle connections of the process before, just as some of them are used."""
    url = f"{balanced.urls['gateway']}/api/v1/generate"

    def change() -> None:
        for policy in ("round_robin", "least_connections") * 4:
            balanced.balancer.set(policy=policy)

    assert await load(url, 4000, 64, during=change) == {200: 4000}


def test_a_change_waits_for_who_works_by_the_old_one(balanced: Stack) -> None:
    """One that has not heard of it yet, as on a busy machine, still answers on connections that it has."""
    master = psutil.Process(balanced.status().part("nginx").pid)
    before = master.children()
    with ThreadPoolExecutor() as pool:
        for worker in before:
            worker.suspend()
        try:
            changing = pool.submit(balanced.balancer.set, drained=["model-3"])
            eventually_sync(lambda: set(master.children()) - set(before))
            with pytest.raises(TimeoutError):
                changing.result(timeout=1.5)
        finally:
            for worker in before:
                worker.resume()
        changing.result(timeout=20)
    balanced.balancer.set(drained=[])


def test_an_edge_ends_at_nginx_and_another_begins_there(balanced: Stack) -> None:
    with (
        balanced.client() as client,
        balanced.faults["gateway→model"].set(refuse=True),
        pytest.raises(ProdigonError, match="model service is away"),
    ):
        client.generate("Is anybody there?")
    with balanced.client() as client, balanced.faults["nginx→model-2"].set(refuse=True):
        assert [client.generate(f"One of {number}").text for number in range(6)]
    eventually_sync(lambda: balanced.status().healthy)


@pytest.fixture
def taken() -> Iterator[Callable[..., listeners.Listeners]]:
    """Takes the ports that a stack of these options would; they are free again after the test."""
    kept, found = ports.Ports(), []

    def take(**options: Any) -> listeners.Listeners:
        found.append(listeners.Listeners(stack_options(**options), kept))
        return found[-1]

    yield take
    for each in found:
        for listener in (*each.services.values(), *each.grpc.values(), *each.nginx.values()):
            listener.close()
    kept.close()


@pytest.mark.parametrize(
    ("options", "before"),
    [
        ({}, set()),
        ({"replicas": {"model": 2}}, {"model"}),
        ({"replicas": {"model": 2}, "balancer": "none"}, set()),
        ({"replicas": {"model": 2}, "grpc": True}, set()),  # its callers deal their calls out themselves
        ({"replicas": {"model": 2, "gateway": 2}}, {"model", "gateway"}),
        ({"replicas": {"worker": 2}}, set()),
        ({"topology": "monolith"}, set()),
    ],
)
def test_nginx_stands_where_there_are_several(
    taken: Callable[..., listeners.Listeners], options: dict[str, Any], before: set[str]
) -> None:
    needs_nginx()
    assert set(taken(**options).nginx) == before


def test_without_nginx_callers_try_the_models_in_turn(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    taken: Callable[..., listeners.Listeners],
) -> None:
    def nowhere() -> Path:
        raise StackError("no nginx here")

    monkeypatch.setattr(listeners, "find_nginx", nowhere)
    assert not taken(replicas={"model": 2}).nginx
    assert "no nginx here" in capsys.readouterr().out
    with pytest.raises(StackError, match="no nginx here"):
        taken(replicas={"gateway": 2})
