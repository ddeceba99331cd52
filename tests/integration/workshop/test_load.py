"""The load generator against a real server on loopback."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from prodigon_lib.workshop import load
from prodigon_lib.workshop.load import closed_loop, open_loop
from prodigon_lib.workshop.load_plots import latency_over_time, percentile_plot
from prodigon_lib.workshop.load_result import percentile_table
from prodigon_lib.workshop.targets import Answer, Target

STALL = 0.5
USAGE = b'event: usage\ndata: {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}\n\n'


class Service:
    """A small server; `stall_at` names a request that holds all others up."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[object] = []
        self.in_flight = self.peak = self.asked = 0
        self.stall_at = -1
        self._one_at_a_time = asyncio.Lock()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        number = self.asked
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            async with self._one_at_a_time:
                await asyncio.sleep(STALL if number == self.stall_at else 0.001)
        finally:
            self.in_flight -= 1
        if request.can_read_body:
            self.bodies.append(await request.json())
        return web.json_response({"ok": True})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.sleep(0.02)
        for _ in range(3):
            await response.write(b'data: "word"\n\n')
            await asyncio.sleep(0.02)
        if request.query.get("end") != "cut":
            await response.write(USAGE + b"data: [DONE]\n\n")
        return response

    async def refuse(self, _: web.Request) -> web.Response:
        raise web.HTTPTooManyRequests

    async def elsewhere(self, _: web.Request) -> web.Response:
        raise web.HTTPFound("http://192.0.2.1/")


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    there = Service()
    app = web.Application()
    app.router.add_route("*", "/answer", there.answer)
    app.router.add_post("/stream", there.stream)
    app.router.add_get("/refuse", there.refuse)
    app.router.add_get("/elsewhere", there.elsewhere)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield there
    await runner.cleanup()


async def test_a_closed_loop_keeps_so_many_in_flight_and_counts(service: Service) -> None:
    result = await closed_loop(Target(f"{service.url}/answer"), in_flight=4, count=60)
    assert service.asked == len(result.samples) == 60
    assert service.peak == 4
    assert [sample.number for sample in result.samples] == list(range(60))
    assert not result.errors
    assert result.service_times().count == 60
    assert result.throughput == pytest.approx(60 / result.seconds)


async def test_each_request_may_have_a_body_of_its_own(service: Service) -> None:
    await closed_loop(Target(f"{service.url}/answer", body=lambda n: {"n": n}), in_flight=2, count=5)
    assert sorted(body["n"] for body in service.bodies) == [0, 1, 2, 3, 4]


async def test_an_open_loop_sends_whether_or_not_it_was_answered(service: Service) -> None:
    service.stall_at = 10
    result = await open_loop(Target(f"{service.url}/answer"), rate=200, count=100, arrivals="even")
    assert len(result.samples) == 100
    assert service.peak > 20
    assert result.samples[-1].meant == pytest.approx(99 / 200)


async def test_coordinated_omission_is_seen_both_ways(service: Service) -> None:
    """A stall hits whoever meant to send then; counted from sending, one of them."""
    service.stall_at = 20
    result = await closed_loop(Target(f"{service.url}/answer"), in_flight=1, count=100, every=0.01)
    naive, honest = result.service_times(), result.response_times()
    hit = sum(sample.service_time > STALL / 2 for sample in result.samples)
    assert sum(sample.response_time > STALL / 2 for sample in result.samples) > 5 * hit > 0
    assert honest.percentile(90) > 5 * naive.percentile(90)
    assert "from when meant, p99, ms" in repr(result)


async def test_a_load_ends_when_its_time_is_over(service: Service) -> None:
    result = await closed_loop(Target(f"{service.url}/answer"), in_flight=2, seconds=0.3)
    assert max(sample.meant for sample in result.samples) < 0.3
    assert result.samples[-1].number > 0


async def test_what_is_under_way_at_the_end_is_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "LAST_SECONDS", 0.1)

    async def forever(_: int) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    result = await open_loop(forever, rate=100, seconds=0.2, arrivals="even", most_in_flight=5)
    assert result.errors == {"TimeoutError: unfinished when the load ended": 20}


async def test_the_time_to_first_token_of_a_stream(service: Service) -> None:
    result = await closed_loop(Target(f"{service.url}/stream", body={}), in_flight=3, count=9)
    assert not result.errors
    assert {sample.answer.tokens for sample in result.samples} == {3}
    first, whole = result.first_token_times(), result.service_times()
    assert first.count == 9
    assert first.most < whole.least
    assert "first token, p99, ms" in repr(result)


async def test_a_cut_stream_has_failed(service: Service) -> None:
    result = await closed_loop(Target(f"{service.url}/stream?end=cut", body={}), in_flight=1, count=2)
    assert result.errors == {"UPSTREAM_ERROR": 2}
    assert result.service_times().count == 0


@pytest.mark.parametrize(("path", "error"), [("/refuse", "HTTP 429"), ("/nowhere", "HTTP 404")])
async def test_a_refusal_is_a_failed_request(service: Service, path: str, error: str) -> None:
    result = await closed_loop(Target(service.url + path), in_flight=1, count=3)
    assert result.errors == {error: 3}
    assert error in repr(result)


async def test_a_redirect_is_not_followed(service: Service) -> None:
    result = await closed_loop(Target(f"{service.url}/elsewhere"), in_flight=1, count=1)
    assert result.samples[0].answer.status == 302


async def test_a_service_that_is_away_fails_each_request(unused_tcp_port: int) -> None:
    result = await closed_loop(Target(f"http://127.0.0.1:{unused_tcp_port}/"), in_flight=2, count=4)
    assert result.errors == {"ClientConnectorError": 4}


async def test_any_function_can_be_loaded() -> None:
    async def call(number: int) -> None:
        if number % 2:
            raise ValueError("odd")

    result = await closed_loop(call, in_flight=2, count=10)
    assert result.errors == {"ValueError: odd": 5}


async def test_plots_and_tables_of_a_load(service: Service) -> None:
    result = await closed_loop(Target(f"{service.url}/answer"), in_flight=2, count=50)
    refused = await closed_loop(Target(f"{service.url}/refuse"), in_flight=2, count=5)
    picture = percentile_plot({"one": result.service_times(), "two": result.response_times()}, guess=0.01)
    assert picture.words.startswith("Latency by percentile: one: median")
    table = percentile_table({"one": result.service_times(), "none": refused.service_times()})
    assert table.columns == ["latency", "one"]
    assert table.rows[0] == ("count", 50)
    over_time = latency_over_time({"good": result, "bad": refused})
    assert "bad: 0 answered, the slowest in 0 ms, 5 failed" in over_time.words
    assert "<table" in result._repr_html_()
    with pytest.raises(ValueError, match="no latencies"):
        percentile_plot({"bad": refused.service_times()})
