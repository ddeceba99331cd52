"""Deadlines and cancellation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from typing import Any

from grpc import StatusCode, aio

from prodigon_lib.transport.protos import model_v1_pb2 as pb
from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.served import Watched, serving
from prodigon_lib.workshop.table import Table

HINTS = (
    "Ask `context.time_remaining()` how much of the caller's deadline is left. It is None when there is no"
    " deadline, and None is also what `timeout=` takes for no deadline, so one small expression covers both"
    " cases.",
    "A cancelled stream raises CancelledError in the hop, at whichever `await` it stands. Code after the loop"
    " never runs then. `async with` gives a semaphore back in every case, and `finally` is the place for"
    " `call.cancel()`.",
    "When the call behind fails, `async for` raises `aio.AioRpcError`. Catch it inside the `async with` and"
    " call `await context.abort(error.code(), error.details())`: the caller then hears the same status as"
    " you did.",
)
PLACES = 2
GAP = 0.04
"""Seconds between two tokens: two of them are long for a cancellation over three hops of one machine."""

MORE = 2


class Counting:
    """The model at the end of the chain: a token every `GAP` seconds, counted as it is made."""

    def __init__(self) -> None:
        self.made = 0
        self.running = 0
        self.budgets: list[float | None] = []

    async def StreamGenerate(self, request: pb.GenerateRequest, context: Any) -> None:  # noqa: N802
        self.budgets.append(context.time_remaining())
        self.running += 1
        try:
            for place in range(request.max_tokens):
                await asyncio.sleep(GAP)
                self.made += 1
                await context.write(pb.StreamGenerateResponse(token=f"{request.prompt}{place}"))
            if request.model == "limited":
                await context.abort(StatusCode.RESOURCE_EXHAUSTED, f"slow down, {request.prompt}")
        finally:
            self.running -= 1


class Chain:
    """Caller, two hops of the learner's, and the model."""

    def __init__(self, model: Counting, hops: list[Watched], places: list[asyncio.Semaphore]) -> None:
        self.model, self.hops, self.places = model, hops, places
        self.stub: Any = None

    @property
    def free(self) -> list[int]:
        return [semaphore._value for semaphore in self.places]

    async def settled(self) -> None:
        """Until nothing runs any more, or three seconds are over."""
        for _ in range(150):
            if not self.model.running and self.free == [PLACES, PLACES]:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def chained(hop: Any) -> AsyncIterator[Chain]:
    model = Counting()
    async with AsyncExitStack() as stack:
        stub = await stack.enter_async_context(serving(Watched(model)))
        hops: list[Watched] = []
        places: list[asyncio.Semaphore] = []
        for _ in range(2):
            places.insert(0, asyncio.Semaphore(PLACES))
            hops.insert(0, Watched(hop(stub, places[0])))
            stub = await stack.enter_async_context(serving(hops[0]))
        chain = Chain(model, hops, places)
        chain.stub = stub
        yield chain


class DeadlinesCheck(Check):
    seconds = 25

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        async with chained(attempt.get("Hop")) as chain:
            await passes_on(chain, attempt, findings)
            await shrinks(chain, attempt, findings)
            await cancelled(chain, attempt, findings)
            await out_of_time(chain, attempt, findings)
            await failed(chain, attempt, findings)


def ask(prompt: str, tokens: int, model: str = "endless") -> pb.GenerateRequest:
    return pb.GenerateRequest(prompt=prompt, max_tokens=tokens, model=model)


async def told(chain: Chain, call: Any) -> tuple[list[str], str, str]:
    """The tokens, and the status with its words."""
    tokens: list[str] = []
    try:
        async for message in call:
            tokens.append(message.token)  # noqa: PERF401 (those before the error count too)
    except aio.AioRpcError as error:
        for hop in chain.hops:
            hop.raise_what_was_raised()
        return tokens, error.code().name, error.details() or ""
    return tokens, "OK", ""


async def passes_on(chain: Chain, attempt: Attempt, findings: Findings) -> None:
    """A stream without a deadline, whole and in order."""
    prompt = attempt.token(6)
    tokens, code, _ = await told(chain, chain.stub.StreamGenerate(ask(prompt, 4)))
    findings.equal("status of a stream without a deadline", code, "OK", step="Let a good stream end well.")
    wanted = [f"{prompt}{place}" for place in range(4)]
    findings.equal("its tokens", tokens, wanted, step="Write every message, in order.")
    budget = chain.model.budgets[-1]
    findings.equal(
        "the model's budget, without a deadline",
        budget,
        None,
        step="Set no deadline where the caller has none.",
    )
    await free_again(chain, findings, "after a whole stream")


async def shrinks(chain: Chain, attempt: Attempt, findings: Findings) -> None:
    """The budget at each hop, for a deadline that nobody can know before."""
    deadline = attempt.random.uniform(3, 8)
    await told(chain, chain.stub.StreamGenerate(ask(attempt.token(6), 2), timeout=deadline))
    seen = [*(hop.budgets[-1] for hop in chain.hops), chain.model.budgets[-1]]
    names = ["first hop", "second hop", "model"]
    table = Table(["at", "seconds left"], [("caller", deadline), *zip(names, seen, strict=True)])
    step = "Give the call behind timeout=self.budget(context), and let budget() be what is left less RESERVE."
    # Not against the caller's own figure: on the wire a deadline has three digits, and is rounded up.
    whole = [left or 0.0 for left in seen]
    smaller = [after < before for before, after in pairwise(whole)]
    findings.expect(
        "the budget shrinks at each hop",
        measured=[None if left is None else round(left, 3) for left in seen],
        wanted=f"each smaller than the one before, of {deadline:.2f} s",
        holds=None not in seen and all(smaller),
        step=step,
        evidence=table,
    )
    findings.at_least(
        "what is left of it at the model", whole[-1], deadline - 1, unit="s", evidence=table,
        step="Pass on all that is left, not a time of your own.",
    )  # fmt: skip


async def cancelled(chain: Chain, attempt: Attempt, findings: Findings) -> None:
    """The caller leaves after some tokens; once while it reads, once while it does not."""
    for reads in (attempt.random.randrange(2, 5), 1):
        call = chain.stub.StreamGenerate(ask(attempt.token(6), 60))
        for _ in range(reads):
            await call.read()
        made = chain.model.made
        call.cancel()
        await chain.settled()
        findings.at_most(
            "tokens made after the caller cancelled", chain.model.made - made, MORE,
            step="Cancel the call behind as soon as yours is cancelled.",
        )  # fmt: skip
        await free_again(chain, findings, "after a cancelled stream")


async def out_of_time(chain: Chain, attempt: Attempt, findings: Findings) -> None:
    deadline = attempt.random.uniform(0.3, 0.5)
    call = chain.stub.StreamGenerate(ask(attempt.token(6), 60), timeout=deadline)
    _, code, _ = await told(chain, call)
    made = chain.model.made
    await chain.settled()
    findings.equal(
        "status when the time is up", code, "DEADLINE_EXCEEDED", step="Hand the status of the call behind on."
    )
    findings.at_most(
        "tokens made after the time was up", chain.model.made - made, MORE,
        step="Give the call behind what is left of the deadline.",
    )  # fmt: skip
    await free_again(chain, findings, "after a stream that ran out of time")


async def failed(chain: Chain, attempt: Attempt, findings: Findings) -> None:
    """Twice as many failures as there are places, then a good one."""
    prompt = attempt.token(6)
    for _ in range(2 * PLACES):
        call = chain.stub.StreamGenerate(ask(prompt, 1, "limited"), timeout=5)
        _, code, words = await findings.finishes(
            "a call that fails behind the hop", told(chain, call), within=6, step="Give the place back."
        )
        step = "Catch AioRpcError and abort with its code() and details()."
        findings.equal("status of a failure behind the hop", code, "RESOURCE_EXHAUSTED", step=step)
        findings.equal("its words", words, f"slow down, {prompt}", step=step)
        await free_again(chain, findings, "after a failure")


async def free_again(chain: Chain, findings: Findings, when: str) -> None:
    await chain.settled()
    findings.equal(
        f"free places at the two hops, {when}", chain.free, [PLACES, PLACES],
        step="Release the place in every case: async with, or finally.",
    )  # fmt: skip
