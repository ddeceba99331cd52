"""The simulated model behind its HTTP face."""

import httpx
import pytest

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.settings import load_settings
from prodigon_lib.model.app import create_app
from prodigon_lib.model.settings import ModelSettings
from prodigon_lib.security.envelope_keys import draw_envelope_key
from tests.integration.serving import serving


async def ask(http: httpx.AsyncClient, prompt: str, **more: object) -> httpx.Response:
    return await http.post("/inference", json={"prompt": prompt, **more})


async def test_the_same_prompt_and_seed_give_the_same_answer(simulated: httpx.AsyncClient) -> None:
    first, second = [(await ask(simulated, "What is a lease?")).json()["text"] for _ in range(2)]
    assert first == second
    assert "lease" in first.lower()


async def test_the_conversation_is_known(simulated: httpx.AsyncClient) -> None:
    turns = [
        {"role": "user", "content": "My name is Ada. What is a queue?"},
        {"role": "assistant", "content": "A queue keeps work."},
        {"role": "user", "content": "What is my name?"},
    ]
    answer = await simulated.post("/inference", json={"messages": turns})
    assert "Ada" in answer.json()["text"]


async def test_tokens_are_limited_and_counted(simulated: httpx.AsyncClient) -> None:
    answer = (await ask(simulated, "Explain load balancing", max_tokens=12)).json()
    assert answer["usage"]["completion_tokens"] == 12
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + 12


async def test_an_unknown_model_is_not_found(simulated: httpx.AsyncClient) -> None:
    answer = await ask(simulated, "Hello", model="no-such-model")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "MODEL_NOT_FOUND")


async def test_faults_are_set_while_it_runs(simulated: httpx.AsyncClient) -> None:
    set_to = await simulated.put("/simulated", json={"faults": {"error_rate": 1, "error_status": 503}})
    assert set_to.json()["faults"]["error_rate"] == 1
    assert (await ask(simulated, "Hello")).status_code == 503
    await simulated.put("/simulated", json={"faults": {"cut_rate": 1, "cut_after": 3}})
    cut = await simulated.post("/inference/stream", json={"prompt": "Explain caching"})
    assert "event: error" in cut.text
    assert "[DONE]" not in cut.text
    await simulated.put("/simulated", json={"faults": {}})
    assert (await ask(simulated, "Hello")).status_code == 200


async def test_a_rate_limit_lets_exactly_so_many_through(simulated: httpx.AsyncClient) -> None:
    await simulated.put("/simulated", json={"limits": {"requests_per_minute": 5}})
    answers = [await ask(simulated, f"Hello {number}", model="llama-3.1-8b-instant") for number in range(9)]
    assert [answer.status_code for answer in answers].count(200) == 5
    refused = answers[-1]
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 12
    assert refused.headers["x-ratelimit-limit-requests"] == "5"


async def test_a_wrong_control_is_named(simulated: httpx.AsyncClient) -> None:
    answer = await simulated.put("/simulated", json={"faults": {"error_rate": 2}})
    assert answer.status_code == 422
    assert "error_rate" in answer.json()["error"]["message"]


async def test_in_production_nobody_sets_faults() -> None:
    settings = ModelSettings(
        _env_file=None,
        environment="production",
        groq_api_key="gsk_x",
        service_keys=draw_envelope_key("first"),
    )
    async with serving(create_app(settings)) as url, httpx.AsyncClient(base_url=url) as http:
        assert (await http.get("/simulated")).status_code == 404


def test_production_without_a_provider_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(SettingsError, match="GROQ_API_KEY"):
        load_settings(ModelSettings)
