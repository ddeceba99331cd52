"""A service taken apart."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from prodigon_lib.workshop.asgi import Direct, Reply, started
from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_04_dependency_injection.model_client import ModelClient, Settings

HINTS = (
    "Count what a request makes by itself: settings, a client, a time, a user. Each has a provider at the"
    " top of the file. Begin with the route: let its signature ask for what the providers give, and make"
    " nothing there.",
    "An override replaces a provider, and the lifespan is none: what it opens itself, no test can replace."
    " Let the lifespan only put a place for the client into app.state; let the provider fill it when it is"
    " first asked.",
    "Opening is awaited, so many requests can find no client at once. Keep an asyncio.Lock beside the place."
    " Take it, look, open with the injected settings. After its yield, the lifespan closes what it finds"
    " there.",
)
AT_ONCE = 20
REQUESTS = 100
EAGER = (
    "Look for what is made outside a provider: overrides reach what Depends asks for, and neither the"
    " lifespan nor what runs at import."
)


class Watch:
    """Counts clients that are opened and closed, by whatever name the answer calls the class."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.closed: list[ModelClient] = []

    @contextmanager
    def on(self) -> Iterator["Watch"]:
        real_open, real_close = ModelClient.open, ModelClient.close

        async def opening(settings: Settings) -> ModelClient:
            self.opened.append(settings.api_key)
            return await real_open(settings)

        async def closing(client: ModelClient) -> None:
            self.closed.append(client)
            await real_close(client)

        ModelClient.open, ModelClient.close = opening, closing  # type: ignore[method-assign, assignment]
        try:
            yield self
        finally:
            ModelClient.open, ModelClient.close = real_open, real_close  # type: ignore[method-assign]


class Upstream:
    """A model on loopback that echoes; `asked` counts prompts by the key they came with."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: dict[str, int] = {}

    async def models(self, _: web.Request) -> web.Response:
        await asyncio.sleep(0.02)  # long enough for every request that came first to come in
        return web.json_response([])

    async def inference(self, request: web.Request) -> web.Response:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        self.asked[key] = self.asked.get(key, 0) + 1
        return web.json_response({"text": echo((await request.json())["prompt"])})


def echo(prompt: str) -> str:
    return prompt[::-1]


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    there, app = Upstream(), web.Application()
    app.router.add_get("/models", there.models)
    app.router.add_post("/inference", there.inference)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield there
    finally:
        await runner.cleanup()


@contextmanager
def no_network() -> Iterator[list[object]]:
    """Every connection is refused and noted."""
    tried: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        tried.append(address)
        raise ConnectionRefusedError("there is no network here")

    socket.socket.connect = refuse  # type: ignore[method-assign, assignment]
    try:
        yield tried
    finally:
        del socket.socket.connect


class FakeModel:
    async def generate(self, prompt: str) -> str:
        return f"fake {prompt}"


class CoupledServiceCheck(Check):
    seconds = 15

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        os.environ.pop("MODEL_API_KEY", None)
        with Watch().on() as watch:
            await overrides_alone(attempt, findings, watch)
        async with upstream() as model:
            with Watch().on() as watch:
                await two_applications(attempt, findings, watch, model)


async def overrides_alone(attempt: Attempt, findings: Findings, watch: Watch) -> None:
    """No key, no network: fakes for all four."""
    prompt, user = attempt.token(), attempt.token()
    moment = datetime(2001, 2, 3, tzinfo=UTC) + timedelta(seconds=attempt.random.randrange(10**6))
    app = attempt.get("create_app")()
    app.dependency_overrides = {
        attempt.get("settings"): lambda: Settings("http://127.0.0.1:9", "no key"),
        attempt.get("model_client"): FakeModel,
        attempt.get("clock"): lambda: lambda: moment,
        attempt.get("current_user"): lambda: user,
    }
    with no_network() as tried:
        try:
            async with started(app) as service:
                reply = await findings.finishes(
                    "a request, with all four overridden", service.ask("POST", "/ask", {"prompt": prompt}),
                    within=5, step="Look for an await that nothing ever answers.",
                )  # fmt: skip
            outcome = reply.said
        except Exception as error:
            outcome = f"it did not start ({type(error).__name__}: {error})"
    with findings.together():
        findings.equal("with no key and no network, all four overridden", outcome, "200", step=EAGER)
        findings.equal("connections tried meanwhile", len(tried), 0, step=EAGER)
        findings.equal("real clients opened meanwhile", len(watch.opened), 0, step=EAGER)
    said = reply.json()
    given = [said.get("text"), said.get("user"), moment_of(said.get("asked_at"))]
    findings.equal(
        "text, user and time of its reply", given, [f"fake {prompt}", user, moment],
        step="Let the route use what it is given, not what it makes: an override shows which it was.",
    )  # fmt: skip


def some(wrong: list[str]) -> str:
    """How many, and the first of them."""
    return f"{len(wrong)}, the first: {wrong[0]}" if wrong else "none"


def moment_of(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


async def two_applications(attempt: Attempt, findings: Findings, watch: Watch, model: Upstream) -> None:
    """The real client, with only the settings overridden, in two applications at once."""
    keys = [attempt.token(), attempt.token()]
    apps = [attempt.get("create_app")() for _ in keys]
    for app, key in zip(apps, keys, strict=True):
        app.dependency_overrides[attempt.get("settings")] = lambda key=key: Settings(model.url, key)
    async with started(apps[0]) as first:
        replies = await findings.finishes(
            f"{REQUESTS} requests, {AT_ONCE} at once", many(attempt, first), within=6,
            step="Look for a lock that is never given back.",
        )  # fmt: skip
        wrong = [reply.said for reply, wanted in replies if reply.status != 200 or text_of(reply) != wanted]
        findings.equal(
            "replies that were wrong", some(wrong), "none",
            step="Let the client be made from the settings that its provider is given by Depends.",
        )  # fmt: skip
        with findings.together():
            findings.equal(
                f"clients opened for {REQUESTS} requests", len(watch.opened), 1,
                step="Keep the client for the application's life, and let only one of those who come first"
                " open it: between looking and having it, there is an await.",
            )  # fmt: skip
            findings.equal(
                "clients closed while requests may still come", len(watch.closed), 0,
                step="Close what belongs to the application when the application ends, not"
                " when a request does.",
            )  # fmt: skip
        async with started(apps[1]) as second:
            other, wanted = await one(second, attempt.token(), attempt.token())
        findings.equal(
            "clients opened by two applications, by their keys", [sorted(watch.opened), text_of(other)],
            [sorted(keys), wanted],
            step="Keep the client in the application, not in a global or a cache of the module.",
        )  # fmt: skip
    findings.equal(
        "prompts by the key they came with", sorted(model.asked.items()),
        sorted({keys[0]: REQUESTS, keys[1]: 1}.items()),
        step="Make each application's client from the settings that were injected into it.",
    )  # fmt: skip
    findings.equal(
        "clients closed after both have ended", [len(watch.closed), len(set(map(id, watch.closed)))], [2, 2],
        step="Close each client once, when the lifespan ends.",
    )  # fmt: skip


async def one(service: Direct, prompt: str, user: str) -> tuple[Reply, str]:
    """A reply, and what its text and user should be."""
    reply = await service.ask("POST", "/ask", {"prompt": prompt}, headers={"X-User": user})
    return reply, f"{echo(prompt)} for {user}"


async def many(attempt: Attempt, service: Direct) -> list[tuple[Reply, str]]:
    names = [(attempt.token(), attempt.token()) for _ in range(REQUESTS)]
    replies: list[tuple[Reply, str]] = []
    for begin in range(0, REQUESTS, AT_ONCE):
        replies += await asyncio.gather(*(one(service, *pair) for pair in names[begin : begin + AT_ONCE]))
    return replies


def text_of(reply: Reply) -> str:
    if reply.status != 200:
        return reply.said
    said = reply.json()
    return f"{said.get('text')} for {said.get('user')}"
