"""Deadlines that shrink, circuits that open, retries that stay few, queues that stay short."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import httpx
import pytest

from prodigon_lib.core.deadline import DEADLINE_HEADER
from prodigon_lib.gateway.app import create_app
from prodigon_lib.persistence.url import DatabaseUrl
from tests.fakes.groq_server import GOOD_KEY, Fault, groq_server
from tests.integration.gateway.conftest import client_of, error_of, settings_for
from tests.integration.gateway.upstream import Upstream
from tests.integration.gateway.whole import whole_system
from tests.integration.serving import serving
from tests.polling import eventually

GENERATE = "/api/v1/generate"
STREAM = "/api/v1/generate/stream"
HELLO = {"prompt": "Hello"}


@dataclass
class Breaking:
    """Takes connections and breaks each one off as soon as a request has come; `mended`, it answers."""

    calls: int = 0
    mended: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"/inference" in head:
                self.calls += 1
            if self.mended:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def breaking() -> AsyncIterator[tuple[Breaking, str]]:
    service = Breaking()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    async with server:
        yield service, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def gateway(**settings: object) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings_for(**settings))) as url, client_of(url) as http:
        yield http


async def test_a_deadline_shrinks_on_its_way() -> None:
    upstream = Upstream()
    async with serving(upstream.app()) as url, gateway(model_service_url=url) as http:
        for path in (GENERATE, STREAM):
            await http.post(path, json=HELLO, headers={DEADLINE_HEADER: "5000"})
            await http.post(path, json=HELLO)
    given, own, streamed, unbounded = [headers.get(DEADLINE_HEADER.lower()) for headers in upstream.headers]
    assert 0 < int(given) <= 5000
    assert 5000 < int(own) <= 120_000
    assert 0 < int(streamed) <= 5000
    assert unbounded is None


async def test_the_time_that_a_caller_has_ends_the_providers_call(database: DatabaseUrl) -> None:
    """Through the gateway and the model service, whose own limits are minutes away."""
    async with (
        groq_server() as provider,
        whole_system(database, groq_api_key=GOOD_KEY, groq_base_url=provider.url) as url,
        client_of(url) as http,
    ):
        provider.fault = Fault(hang=True)
        call = asyncio.create_task(http.post(GENERATE, json=HELLO, headers={DEADLINE_HEADER: "600"}))
        await eventually(lambda: provider.open_calls == 1)
        answer = await call
        assert (answer.status_code, error_of(answer)["code"]) == (504, "UPSTREAM_TIMEOUT")
        await eventually(lambda: provider.open_calls == 0)


async def test_the_time_that_a_caller_has_ends_a_stream(database: DatabaseUrl) -> None:
    async with (
        groq_server() as provider,
        whole_system(database, groq_api_key=GOOD_KEY, groq_base_url=provider.url) as url,
        client_of(url) as http,
    ):
        provider.fault = Fault(stall_after=2)
        answer = await http.post(STREAM, json=HELLO, headers={DEADLINE_HEADER: "800"})
        assert "event: error" in answer.text
        assert "UPSTREAM_TIMEOUT" in answer.text
        await eventually(lambda: provider.open_calls == 0)


async def test_a_submission_is_bounded_down_to_the_database(database: DatabaseUrl) -> None:
    async with whole_system(database) as url, client_of(url) as http:
        late = await http.post("/api/v1/jobs", json={"prompts": ["a"]}, headers={DEADLINE_HEADER: "0"})
        assert (late.status_code, error_of(late)["code"]) == (504, "UPSTREAM_TIMEOUT")
        ok = await http.post("/api/v1/jobs", json={"prompts": ["a"]}, headers={DEADLINE_HEADER: "9000"})
        assert ok.status_code == 202


async def test_a_watcher_with_a_deadline_ends_alone(database: DatabaseUrl) -> None:
    """Those who watch share one poll; it must not end with the time of the one who began it."""
    async with whole_system(database, use_mock=True) as url, client_of(url) as http:
        job = (await http.post("/api/v1/jobs", json={"prompts": ["a"] * 60})).json()["job_id"]
        events = f"/api/v1/jobs/{job}/events"
        first = asyncio.create_task(http.get(events, headers={DEADLINE_HEADER: "400"}))
        second = asyncio.create_task(http.get(events))
        await asyncio.wait([first, second])
        assert '"status":"completed"' in second.result().text


def circuit(metrics: str, url: str) -> float:
    (line,) = [
        line
        for line in metrics.splitlines()
        if line.startswith("prodigon_upstream_circuit_open{") and url in line
    ]
    return float(line.split()[-1])


async def test_a_circuit_opens_is_seen_and_closes() -> None:
    async with (
        breaking() as (service, url),
        gateway(model_service_url=url, breaker_failures=3, breaker_seconds=0.3, retry_percent=0) as http,
    ):
        answers = [(await http.post(GENERATE, json=HELLO)).status_code for _ in range(10)]
        assert answers == [502] * 3 + [503] * 7
        assert service.calls == 3
        held = await http.post(GENERATE, json=HELLO)
        assert held.headers["Retry-After"] == "1"
        assert "left alone" in error_of(held)["message"]
        assert circuit((await http.get("/metrics")).text, url) == 1.0
        assert "model" in (await http.get("/health/ready")).json()["failing"]
        service.mended = True

        async def answered() -> bool:
            return (await http.post(GENERATE, json=HELLO)).status_code == 200

        await eventually(answered)
        assert circuit((await http.get("/metrics")).text, url) == 0.0


async def test_to_be_watched_opens_no_circuit() -> None:
    """A dashboard, or a supervisor, asks several times a second: that must not keep calls from a service that
    has just come back."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        host, port = held.getsockname()
        async with gateway(
            model_service_url=f"http://{host}:{port}", breaker_failures=3, breaker_seconds=60, retry_percent=0
        ) as http:
            for _ in range(10):
                assert "model" in (await http.get("/health/ready")).json()["failing"]
            service = Breaking(mended=True)
            held.close()
            server = await asyncio.start_server(service.serve, host, port)
            async with server:
                assert (await http.post(GENERATE, json=HELLO)).status_code == 200


async def test_half_open_is_one_call() -> None:
    async with (
        breaking() as (service, url),
        gateway(model_service_url=url, breaker_failures=2, breaker_seconds=0.3, retry_percent=0) as http,
    ):
        for _ in range(2):
            await http.post(GENERATE, json=HELLO)

        async def probed() -> bool:
            await asyncio.gather(*(http.post(GENERATE, json=HELLO) for _ in range(20)))
            return service.calls > 2

        await eventually(probed, every=0.1)
        assert service.calls == 3


async def test_a_circuit_leaves_the_other_addresses_alone() -> None:
    upstream = Upstream()
    async with (
        breaking() as (service, broken),
        serving(upstream.app()) as url,
        gateway(
            model_service_url=f"{broken},{url}", breaker_failures=2, breaker_seconds=60, retry_percent=0
        ) as http,
    ):
        answers = [(await http.post(GENERATE, json=HELLO)).status_code for _ in range(20)]
        assert answers.count(502) == 2
        assert answers[-10:] == [200] * 10
        assert service.calls == 2


async def test_a_connection_that_broke_is_tried_again_where_it_helps() -> None:
    """One of two addresses breaks now and then: no caller notices."""
    upstream = Upstream()
    async with (
        breaking() as (service, broken),
        serving(upstream.app()) as url,
        gateway(model_service_url=f"{url},{url},{url},{url},{broken}", retry_percent=20) as http,
    ):
        warm = [(await http.post(GENERATE, json=HELLO)).status_code for _ in range(4)]
        answers = [(await http.post(GENERATE, json=HELLO)).status_code for _ in range(60)]
        assert warm == [200] * 4
        assert answers.count(200) >= 58
        assert service.calls > 0


async def test_a_retry_storm_does_not_form() -> None:
    """Everything breaks: 300 requests reach the service as hardly more than 300."""
    async with (
        breaking() as (service, url),
        gateway(model_service_url=url, breaker_failures=10_000, retry_percent=10) as http,
    ):
        for _ in range(10):
            await asyncio.gather(*(http.post(GENERATE, json=HELLO) for _ in range(30)))
        assert 300 < service.calls <= 330
        metrics = (await http.get("/metrics")).text
        assert f'prodigon_upstream_retries_total{{upstream="model"}} {service.calls - 300}.0' in metrics


async def test_an_enqueue_without_a_key_is_not_sent_twice() -> None:
    received = 0

    async def take_and_break(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        head = await reader.readuntil(b"\r\n\r\n")
        received += head.startswith(b"POST /jobs")
        writer.close()

    server = await asyncio.start_server(take_and_break, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, gateway(worker_service_url=url, retry_percent=100, breaker_failures=100) as http:
        for _ in range(5):
            assert (await http.post("/api/v1/jobs", json={"prompts": ["a"]})).status_code == 502
        assert received == 5
        await http.post("/api/v1/jobs", json={"prompts": ["a"]}, headers={"Idempotency-Key": "one"})
        assert received == 7


@pytest.mark.parametrize(("seconds", "left"), [(0.3, False), (60, True)])
async def test_a_connection_that_no_call_uses_is_kept_as_long_as_the_setting_says(
    seconds: float, left: bool
) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                asked.set()
        ended.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, gateway(model_service_url=url, connection_idle_seconds=seconds) as http:
        await http.get("/health/ready")
        assert asked.is_set()
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), 6 if left else 5.5)
        assert ended.is_set() is not left


async def test_one_request_too_many_is_told_at_once_when_to_come_back() -> None:
    upstream = Upstream(hold=asyncio.Event())
    async with serving(upstream.app()) as url, gateway(model_service_url=url, max_in_flight=4) as http:
        calls = [asyncio.create_task(http.post(GENERATE, json=HELLO)) for _ in range(4)]
        await eventually(lambda: upstream.running == 4)
        for path in (GENERATE, STREAM, "/api/v1/jobs"):
            refused = await http.post(path, json=HELLO)
            assert (refused.status_code, error_of(refused)["code"]) == (429, "RATE_LIMITED")
            assert int(refused.headers["Retry-After"]) >= 1
        assert (await http.get("/health/live")).status_code == 200
        upstream.hold.set()
        assert {answer.status_code for answer in await asyncio.gather(*calls)} == {200}
        assert (await http.post(GENERATE, json=HELLO)).status_code == 200


async def test_a_black_hole_opens_the_circuit() -> None:
    """Callers stop waiting for a service that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = {"generate_seconds": 0.3, "breaker_failures": 3, "breaker_seconds": 60}
        async with gateway(model_service_url=url, **settings) as http:
            answers = [(await http.post(GENERATE, json=HELLO)).status_code for _ in range(6)]
    assert answers == [504] * 3 + [503] * 3


@pytest.mark.parametrize("path", [GENERATE, STREAM])
async def test_callers_without_patience_open_no_circuit(path: str) -> None:
    upstream = Upstream(hold=asyncio.Event())
    async with serving(upstream.app()) as url, gateway(model_service_url=url, breaker_failures=2) as http:
        for _ in range(4):
            await http.post(GENERATE, json=HELLO, headers={DEADLINE_HEADER: "50"})
        upstream.hold = None
        assert (await http.post(path, json=HELLO)).status_code == 200
