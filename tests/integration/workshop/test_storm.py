"""Many requests of an attack at once."""

from itertools import count

from aiohttp import web
from aiohttp.test_utils import TestServer

from prodigon_lib.workshop.attacks.raider import Raider


async def test_a_storm_is_as_many_requests_as_it_says_and_its_transcript_counts_them() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(f"{request.headers['Authorization']} {request.headers['X-Number']}")
        return web.Response(status=429 if len(seen) > 20 else 200)

    numbers = count()
    application = web.Application()
    application.router.add_get("/x", answer)
    async with (
        TestServer(application) as server,
        Raider(str(server.make_url("")), {"attacker": "Bearer two"}, {}) as raider,
    ):
        statuses = await raider.storm("/x", 30, at_once=5, headers=lambda: {"X-Number": str(next(numbers))})
    assert sorted(statuses) == [200] * 20 + [429] * 10
    assert sorted(seen) == sorted(f"Bearer two {number}" for number in range(30))
    (exchange,) = raider.exchanges
    assert exchange.request == "attacker: 30 times GET /x"
    assert "20 times 200" in exchange.answer
