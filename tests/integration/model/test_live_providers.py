"""Groq and OpenAI-compatible servers, through their official SDKs, with every fault on the way."""

import httpx
import pytest

from prodigon_lib.core.sse import Parser
from tests.fakes.groq_server import TOKENS, Fault, GroqServer
from tests.integration.model.conftest import ServeModel
from tests.polling import eventually

ASK = {"prompt": "Hello?", "max_tokens": 7, "temperature": 0.1, "system_prompt": "Be brief."}
DEFAULT, FALLBACK = "llama-3.3-70b-versatile", "llama-3.1-8b-instant"


def events(text: str) -> list[tuple[str, str]]:
    return [(event.name, event.data) for event in Parser().feed(text.encode())]


async def test_a_completion(serve_live: ServeModel, groq: GroqServer) -> None:
    async with serve_live() as http:
        answer = await http.post("/inference", json=ASK)
    assert answer.status_code == 200
    assert answer.json()["text"] == "Hello world."
    assert answer.json()["usage"] == {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    assert answer.headers["x-ratelimit-remaining-tokens"] == "17997"
    (sent,) = groq.bodies
    assert [turn["role"] for turn in sent["messages"]] == ["system", "user"]
    assert (sent["model"], sent["temperature"]) == (DEFAULT, 0.1)
    assert 7 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))


async def test_a_stream(serve_live: ServeModel) -> None:
    async with serve_live() as http:
        answer = await http.post("/inference/stream", json=ASK)
    seen = events(answer.text)
    assert [data for name, data in seen if name == "message"] == [
        *[f'"{token}"' for token in TOKENS],
        "[DONE]",
    ]
    assert [name for name, _ in seen][-2:] == ["usage", "message"]


REFUSALS = [
    (Fault(status=500), 502, "UPSTREAM_ERROR"),
    (Fault(status=503), 503, "SERVICE_UNAVAILABLE"),
    (Fault(status=404, code="model_not_found"), 404, "MODEL_NOT_FOUND"),
    (Fault(status=429, headers={"retry-after": "7"}), 429, "RATE_LIMITED"),
    (Fault(status=400), 502, "UPSTREAM_REJECTED"),
    (Fault(garbage=b"<html>"), 502, "UPSTREAM_ERROR"),
    (Fault(garbage=b'{"choices": []}'), 502, "UPSTREAM_ERROR"),
]


@pytest.mark.parametrize(("fault", "status", "code"), REFUSALS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("path", ["/inference", "/inference/stream"])
async def test_a_refusal_is_one_of_ours(
    serve_live: ServeModel, groq: GroqServer, fault: Fault, status: int, code: str, path: str
) -> None:
    groq.fault = fault
    async with serve_live() as http:
        answer = await http.post(path, json=ASK)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "own words" not in answer.text
    if status == 429:
        assert answer.headers["retry-after"] == "7"


async def test_a_bad_key_is_a_fault_of_ours_and_not_the_callers(serve_live: ServeModel) -> None:
    async with serve_live(key="gsk_bad") as http:
        answer = await http.post("/inference", json=ASK)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "UPSTREAM_REJECTED")
    assert "gsk_bad" not in answer.text


@pytest.mark.parametrize("path", ["/inference", "/inference/stream"])
async def test_silence_is_a_timeout(serve_live: ServeModel, groq: GroqServer, path: str) -> None:
    groq.fault = Fault(hang=True)
    async with serve_live(first_token_seconds=1, answer_seconds=2, token_gap_seconds=1) as http:
        answer = await http.post(path, json=ASK)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "UPSTREAM_TIMEOUT")
    await eventually(lambda: groq.open_calls == 0)


@pytest.mark.parametrize("fault", [Fault(cut_after=2), Fault(error_event=True)], ids=["cut", "error event"])
async def test_a_stream_that_breaks_ends_with_an_error_event(
    serve_live: ServeModel, groq: GroqServer, fault: Fault
) -> None:
    groq.fault = fault
    async with serve_live() as http:
        answer = await http.post("/inference/stream", json=ASK)
    assert answer.status_code == 200
    seen = events(answer.text)
    assert seen[-1][0] == "error"
    assert "UPSTREAM_ERROR" in seen[-1][1]
    assert ("message", "[DONE]") not in seen
    assert groq.models_asked == [DEFAULT]  # after the first token there is no other model


async def test_the_default_model_has_a_fallback_before_the_first_token(
    serve_live: ServeModel, groq: GroqServer
) -> None:
    groq.fault = Fault(status=500, only=DEFAULT)
    async with serve_live() as http:
        whole = await http.post("/inference", json=ASK)
        stream = await http.post("/inference/stream", json=ASK)
        metrics = (await http.get("/metrics")).text
    assert whole.json()["model"] == FALLBACK
    assert stream.headers["x-model"] == FALLBACK
    assert groq.models_asked == [DEFAULT, FALLBACK] * 2
    assert f'fallback="{FALLBACK}"' in metrics


async def test_a_model_that_was_asked_for_by_name_has_none(serve_live: ServeModel, groq: GroqServer) -> None:
    groq.fault = Fault(status=500, only=FALLBACK)
    async with serve_live() as http:
        answer = await http.post("/inference", json={**ASK, "model": FALLBACK})
    assert answer.status_code == 502
    assert groq.models_asked == [FALLBACK]


async def test_a_caller_who_leaves_a_stream_ends_the_providers_call(
    serve_live: ServeModel, groq: GroqServer
) -> None:
    groq.fault = Fault(stall_after=2)
    async with serve_live() as http:
        async with http.stream("POST", "/inference/stream", json=ASK) as answer:
            pieces = answer.aiter_bytes()
            await anext(pieces)
            assert groq.open_calls == 1
        await eventually(lambda: groq.open_calls == 0, within=1.0)


async def test_a_caller_who_leaves_before_the_answer_ends_the_providers_call(
    serve_live: ServeModel, groq: GroqServer
) -> None:
    groq.fault = Fault(hang=True)
    async with serve_live() as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.post("/inference", json=ASK, timeout=1.0)
        await eventually(lambda: groq.open_calls == 0, within=1.0)


async def test_models_are_listed(serve_live: ServeModel) -> None:
    async with serve_live() as http:
        ids = [card["id"] for card in (await http.get("/models")).json()]
    assert {DEFAULT, FALLBACK} <= set(ids)
