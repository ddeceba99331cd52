"""Requests and errors as the clients put them, without a connection."""

import httpx
import pytest

from prodigon_lib.client import calls
from prodigon_lib.client.jobs import pauses
from prodigon_lib.client.wire import (
    error_from,
    faults_named,
    is_loopback,
    options,
    read_answer,
    request_arguments,
)
from prodigon_lib.core.errors import (
    ProdigonError,
    RateLimited,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
)


def answer(status: int, **content: object) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("GET", "http://gateway/health"), **content)


def test_only_what_is_given_is_sent() -> None:
    call = calls.generate("Hello", None, {"max_tokens": 5, "model": None})
    assert request_arguments(call) == {
        "method": "POST",
        "url": "/api/v1/generate",
        "json": {"prompt": "Hello", "max_tokens": 5},
    }
    assert request_arguments(calls.update_session("1", {"system_prompt": None}))["json"] == {
        "system_prompt": None
    }
    assert "json" not in request_arguments(calls.cancel_job("1"))
    assert request_arguments(calls.jobs_page(None, None))["params"] == {"limit": calls.PAGE}


def test_an_error_keeps_what_the_envelope_says() -> None:
    body = {"error": {"code": "RATE_LIMITED", "message": "slow down", "request_id": "one"}}
    error = error_from(answer(429, json=body, headers={"Retry-After": "3", "X-Request-ID": "two"}))
    assert isinstance(error, RateLimited)
    assert (error.code, error.message, error.request_id, error.retry_after) == (
        "RATE_LIMITED",
        "slow down",
        "one",
        3.0,
    )


def test_an_openai_error_is_told_by_its_status() -> None:
    body = {
        "error": {"code": "rate_limited", "message": "slow down", "type": "rate_limit_error", "param": None}
    }
    error = error_from(answer(429, json=body, headers={"X-Request-ID": "two"}))
    assert isinstance(error, RateLimited)
    assert (error.code, error.request_id) == ("RATE_LIMITED", "two")


@pytest.mark.parametrize(
    "content", [{"text": "<html>"}, {"json": []}, {"json": {"error": 5}}, {"content": b"\xff"}]
)
def test_an_error_of_another_server_shows_nothing_of_it(content: dict[str, object]) -> None:
    error = error_from(answer(502, **content))
    assert isinstance(error, UpstreamError)
    assert "html" not in error.message


@pytest.mark.parametrize("content", [{"text": "hello"}, {"json": []}, {"json": {"status": "fine"}}])
def test_an_answer_of_another_server_is_no_answer(content: dict[str, object]) -> None:
    with pytest.raises(UpstreamError, match="no Prodigon gateway"):
        read_answer(calls.health(), answer(200, **content))


FAULTS: list[tuple[Exception, type[ProdigonError]]] = [
    (httpx.ConnectError("refused"), UpstreamUnavailable),
    (httpx.ConnectTimeout("late"), UpstreamUnavailable),
    (httpx.ReadTimeout("late"), UpstreamTimeout),
    (httpx.PoolTimeout("late"), UpstreamTimeout),
    (httpx.RemoteProtocolError("cut"), UpstreamError),
    (httpx.UnsupportedProtocol("no scheme"), UpstreamError),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_a_fault_of_the_connection_is_named(fault: Exception, kind: type[ProdigonError]) -> None:
    with pytest.raises(kind) as caught, faults_named("http://gateway"):
        raise fault
    assert "http://gateway" in caught.value.message


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("10.0.0.1", False), ("x.org", False)],
)
def test_no_proxy_on_the_way_to_this_machine(host: str, local: bool) -> None:
    assert is_loopback(host) is local
    shown = f"[{host}]" if ":" in host else host
    assert options(f"http://{shown}:8000", 5)["trust_env"] is not local


def test_pauses_grow_and_keep_within_the_timeout() -> None:
    steps = pauses(100)
    first, second = next(steps), next(steps)
    assert 0 < first < second
    assert list(pauses(0)) == []
    assert max(pause for pause, _ in zip(pauses(1000), range(20), strict=False)) == 1.0
