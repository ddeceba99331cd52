"""Serve the proto."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from grpc import aio

from prodigon_lib.model.app import create_app
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.transport.protos import model_v1_pb2 as pb
from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.served import Watched, serving

HINTS = (
    "Everything that a field may hold is checked by `to_request` already; your part is only to carry. Look at"
    " `model_messages.py`: what turns a response, and what turns a usage, into a message?",
    "A streaming method may be a coroutine that calls `await context.write(message)`, or an async generator"
    " that yields messages. Either way, loop over `self._model.stream(asked)` and hand each token on before"
    " you ask for the next one.",
    "For the status, put `to_request` into a `try`; on `ValidationFailed` call `await context.abort(...)`"
    " with `StatusCode.INVALID_ARGUMENT` and the error's `message`. `abort` raises, so nothing after it runs"
    " and the model is never asked.",
)
PROMPTS = ("What is a lease?", "Explain back-pressure", "What is a retry budget?", "What is tail latency?")
LONG = ("Explain load balancing and caching in detail", "Explain circuit breakers step by step, in depth")


class ServeTheProtoCheck(Check):
    seconds = 25

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        seed = attempt.random.randrange(10_000)
        settings = ModelSettings(use_mock=True, simulated_seed=seed, log_level="ERROR", groq_api_key=None)
        app = create_app(settings)
        watched = Watched(attempt.get("Servicer")(app.state.model))
        async with app.router.lifespan_context(app), without_socket(app) as http, serving(watched) as stub:
            for document in drawn(attempt):
                await same_answer(watched, stub, http, document, findings)
            await streams(watched, stub, http, attempt, findings)
            await refuses(watched, stub, http, findings)


@asynccontextmanager
async def without_socket(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://model") as http:
        yield http


def drawn(attempt: Attempt) -> list[dict[str, Any]]:
    """Two requests, as JSON: a prompt with options, and a conversation."""
    first, second = attempt.random.sample(PROMPTS, 2)
    limit, name = attempt.random.randrange(8, 24), attempt.token(6).title()
    turns = [
        {"role": "user", "content": f"My name is {name}. {second}"},
        {"role": "assistant", "content": "It keeps work."},
        {"role": "user", "content": "What is my name?"},
    ]
    return [
        {"prompt": first, "max_tokens": limit, "temperature": 0, "model": "llama-3.1-8b-instant"},
        {"messages": turns},
    ]


def as_message(document: dict[str, Any]) -> pb.GenerateRequest:
    turns = [
        pb.Message(role=f"ROLE_{turn['role'].upper()}", content=turn["content"])
        for turn in document.get("messages", [])
    ]
    plain = {name: value for name, value in document.items() if name != "messages"}
    return pb.GenerateRequest(messages=turns, **plain)


async def same_answer(
    watched: Watched, stub: Any, http: httpx.AsyncClient, document: dict[str, Any], findings: Findings
) -> None:
    """The same request over both, with the same seed."""
    over_rest = (await http.post("/inference", json=document)).json()
    try:
        answer = await stub.Generate(as_message(document), timeout=10)
    except aio.AioRpcError as error:
        watched.raise_what_was_raised()
        findings.expect(
            "Generate", measured=said(error), wanted="an answer", holds=False,
            step="Let Generate end with a message instead of an error.",
        )  # fmt: skip
        return
    step = "Hand the whole request to the model, with every option, and its whole answer back."
    findings.equal("text, over REST and over gRPC", answer.text, over_rest["text"], step=step)
    findings.equal("model", answer.model, over_rest["model"], step=step)
    tokens = answer.usage.completion_tokens
    findings.equal("tokens paid for", tokens, over_rest["usage"]["completion_tokens"], step=step)


async def streams(
    watched: Watched, stub: Any, http: httpx.AsyncClient, attempt: Attempt, findings: Findings
) -> None:
    """The tokens are those of REST's answer, and come as the model makes them."""
    document = {"prompt": attempt.random.choice(LONG), "max_tokens": 250}
    whole = (await http.post("/inference", json=document)).json()
    tokens: list[str] = []
    usage: list[int] = []
    began, times = time.perf_counter(), []
    try:
        async for message in stub.StreamGenerate(as_message(document), timeout=15):
            if message.WhichOneof("item") == "token":
                tokens.append(message.token)
                times.append(time.perf_counter() - began)
            elif message.WhichOneof("item") == "usage":
                usage.append(message.usage.completion_tokens)
    except aio.AioRpcError as error:
        watched.raise_what_was_raised()
        findings.expect(
            "StreamGenerate", measured=said(error), wanted="a stream that ends well", holds=False,
            step="Let StreamGenerate end without an error.",
        )  # fmt: skip
    total = time.perf_counter() - began
    findings.equal(
        "the stream's text",
        "".join(tokens),
        whole["text"],
        step="Send every token once, as the model gave it.",
    )
    share = (times[0] if times else total) / total
    findings.at_most(
        "first token, as a share of the stream's time", share, 0.5,
        step="Write each token as soon as it is there; do not collect them first.",
    )  # fmt: skip
    findings.equal(
        "usage messages, and what they count",
        usage,
        [whole["usage"]["completion_tokens"]],
        step="Send one usage message, after the last token.",
    )


async def refuses(watched: Watched, stub: Any, http: httpx.AsyncClient, findings: Findings) -> None:
    """What REST refuses, with the same words."""
    step = "Turn ValidationFailed into context.abort(StatusCode.INVALID_ARGUMENT, its message)."
    for document in ({"prompt": ""}, {"prompt": "x", "max_tokens": 0}):
        message = (await http.post("/inference", json=document)).json()["error"]["message"]
        asked = as_message(document)
        for name in ("Generate", "StreamGenerate"):
            code, details = "OK", ""
            call = getattr(stub, name)(asked, timeout=10)
            try:
                await (call if name == "Generate" else call.read())
            except aio.AioRpcError as error:
                code, details = error.code().name, error.details() or ""
            findings.equal(f"{name} of {document}", code, "INVALID_ARGUMENT", step=step)
            findings.equal(f"{name} says", details, message, step=step)


def said(error: aio.AioRpcError) -> str:
    return f"{error.code().name}: {error.details()}"
