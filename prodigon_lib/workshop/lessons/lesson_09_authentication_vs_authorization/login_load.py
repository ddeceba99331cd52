"""What a dear hash costs the service that checks it: logins a second by cost, and requests with a token."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from argon2 import PasswordHasher
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OKPKey
from starlette.requests import Request

from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.chat_service import token_in
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.forging import Issuer, SigningKey
from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.load_result import LoadResult
from prodigon_lib.workshop.look import BLUE, FAINT, INK, ORANGE
from prodigon_lib.workshop.picture import Picture, Plot
from prodigon_lib.workshop.serving import serve
from prodigon_lib.workshop.table import Table
from prodigon_lib.workshop.targets import Target

IN_FLIGHT = 4
PASSES = 2


@dataclass(frozen=True)
class LoginLoad:
    """Logins by the memory of their hash in MiB, and requests that show a token instead."""

    logins: dict[int, LoadResult]
    tokens: LoadResult


def login_service(memories: Sequence[int], word: str) -> tuple[FastAPI, str]:
    """`POST /login/{memory}` checks a password with so many MiB, `GET /me` a token; and a token for it."""
    hashers = {memory: PasswordHasher(PASSES, memory * 1024, 1) for memory in memories}
    kept = {memory: hasher.hash(word) for memory, hasher in hashers.items()}
    key = SigningKey("only")
    public = OKPKey.import_key(key.pem)
    app = FastAPI()

    @app.post("/login/{memory}")
    async def login(memory: int, body: dict[str, str]) -> bool:
        # In a thread: Argon2 lets go of the interpreter's lock, so two cores check two passwords.
        return await asyncio.to_thread(hashers[memory].verify, kept[memory], body["password"])

    @app.get("/me")
    async def me(request: Request) -> str:
        claims = jwt.decode(token_in(request.scope), public, algorithms=["Ed25519"]).claims
        return str(claims["sub"])

    return app, key.sign(Issuer("here", "here").claims("ann", "a login"))


async def login_load(memories: Sequence[int] = (4, 16, 64), *, seconds: float = 1.0) -> LoginLoad:
    """Four callers at once, who log in for so long at each cost; then four who show a token."""
    word = "correct horse battery staple"
    app, token = await asyncio.to_thread(login_service, memories, word)
    with serve(app) as service:
        found = {}
        for memory in memories:
            target = Target(f"{service.url}/login/{memory}", {"password": word})
            found[memory] = await closed_loop(target, in_flight=IN_FLIGHT, seconds=seconds)
        target = Target(f"{service.url}/me", headers={"Authorization": f"Bearer {token}"})
        return LoginLoad(found, await closed_loop(target, in_flight=IN_FLIGHT, seconds=seconds))


def login_table(load: LoginLoad) -> Table:
    """A row for each cost, and one for the token; times in milliseconds."""
    runs = {f"password, {memory} MiB": run for memory, run in load.logins.items()} | {"token": load.tokens}
    return Table(
        ["shown", "requests a second", "p50, ms"],
        [(name, run.throughput, 1000 * run.service_times().percentile(50)) for name, run in runs.items()],
    )


def plot_logins(load: LoginLoad, *, guess: float | None = None) -> Picture:
    """Logins a second over the memory of a hash, and requests with a token as a line; `guess` at the last."""
    plot = Plot(height=3.2)
    (axes,) = plot.axes
    memories = list(load.logins)
    rates = [run.throughput for run in load.logins.values()]
    axes.plot(memories, rates, color=ORANGE, marker="o", linewidth=1.8, label="with a password")
    axes.axhline(load.tokens.throughput, color=BLUE, linewidth=1.8, label="with a token")
    if guess is not None:
        axes.plot(memories[-1:], [guess], color=INK, marker="x", linestyle="none", label="your guess")
    axes.set(xscale="log", yscale="log", xlabel="memory of a hash, MiB", ylabel="requests a second")
    axes.set_xticks(memories, [str(memory) for memory in memories])
    axes.minorticks_off()
    axes.grid(visible=True, color=FAINT, linewidth=0.3)
    axes.legend(loc="lower left")
    plot.title("A login is dear, a token is cheap")
    words = "; ".join(f"{memory} MiB: {rate:.0f}" for memory, rate in zip(memories, rates, strict=True))
    return plot.finish(f"Logins a second by memory. {words}; token: {load.tokens.throughput:.0f}")
