"""The dependency graph of an application, and the times in it."""

import functools
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header

from prodigon_lib.gateway.app import create_app
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.workshop.asgi import started
from prodigon_lib.workshop.dependency_graph import dependency_graph, kind_of, measured


def pool() -> str:
    return "pool"


async def transaction(pool: Annotated[str, Depends(pool)]) -> AsyncIterator[str]:
    try:
        yield f"transaction on {pool}"
    except LookupError as error:
        raise KeyError("seen") from error


def files() -> Iterator[str]:
    yield "files"


async def user(x_user: Annotated[str, Header()]) -> str:
    return x_user


class Page:
    def __init__(self, limit: int = 3) -> None:
        self.limit = limit


def never() -> None:
    raise AssertionError


def application() -> FastAPI:
    app, router = FastAPI(), APIRouter(prefix="/included")

    @app.get("/all")
    async def everything(
        transaction: Annotated[str, Depends(transaction)], files: Annotated[str, Depends(files)],
        user: Annotated[str, Depends(user)], page: Annotated[Page, Depends()],
        pool: Annotated[str, Depends(pool)],
    ) -> list[object]:  # fmt: skip
        return [transaction, files, user, page.limit, pool]

    @router.get("/lost")
    async def lost(transaction: Annotated[str, Depends(transaction)]) -> None:
        raise LookupError

    @router.get("/never", dependencies=[Depends(never)])
    async def not_called() -> None: ...

    app.include_router(router)
    return app


async def test_each_kind_is_measured_and_gives_what_it_gave() -> None:
    app = application()
    async with started(app) as service:
        with measured(app) as timings:
            replies = [await service.ask("GET", "/all", headers={"X-User": "me"}) for _ in range(2)]
    assert replies[0].json() == ["transaction on pool", "files", "me", 3, "pool"]
    calls = {provider.__name__: timing.calls for provider, timing in timings.items()}
    assert calls == {"pool": 2, "transaction": 2, "files": 2, "user": 2, "Page": 2, "never": 0}
    assert app.dependency_overrides == {}


async def test_an_error_still_reaches_the_clean_up() -> None:
    app = application()
    async with started(app) as service:
        with measured(app):
            reply = await service.ask("GET", "/included/lost")
    assert isinstance(reply.error, KeyError)


async def test_overrides_are_measured_in_their_place_and_put_back() -> None:
    app = application()
    mine = {pool: lambda: "other"}
    app.dependency_overrides = dict(mine)
    with suppress(LookupError):
        async with started(app) as service:
            with measured(app) as timings:
                reply = await service.ask("GET", "/all", headers={"X-User": "me"})
                raise LookupError
    assert reply.json()[-1] == "other"
    assert timings[pool].calls == 1
    assert app.dependency_overrides == mine


def test_kinds() -> None:
    kinds = {each.__name__: kind_of(each) for each in (pool, transaction, files, user, Page)}
    assert kinds == {
        "pool": "thread",
        "transaction": "async, yields",
        "files": "thread, yields",
        "user": "async",
        "Page": "thread",
    }
    assert kind_of(functools.partial(user, "me")) == "async"


def test_the_picture_has_every_provider_once() -> None:
    picture = dependency_graph(application())
    for name in ("pool", "transaction", "files", "user", "Page", "never"):
        assert picture.svg.count(f">{name}</text>") == 1
    assert "pool: thread" in picture.words


def test_the_gateway_can_be_drawn() -> None:
    picture = dependency_graph(create_app(GatewaySettings(_env_file=None)))
    assert picture.svg.count(">collaborators_of</text>") == 1
    assert "chat_repository: async" in picture.words
