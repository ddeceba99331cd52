"""From a client through the gateway, the worker, the model and Postgres, and back; with wires and without."""

import asyncio
import json
from collections.abc import Iterator

import groq
import httpx
import openai
import pytest

from prodigon_lib import Client
from prodigon_lib.core.errors import ModelNotFound
from prodigon_lib.core.schemas.jobs import JobStatus
from prodigon_lib.persistence.url import DatabaseUrl
from tests.fakes.groq_server import GOOD_KEY, Fault, groq_server
from tests.integration.gateway.threads import running_in_thread
from tests.integration.gateway.whole import whole_system
from tests.polling import eventually, eventually_sync

OPENAI = {"model": "llama-3.3-70b-versatile", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(params=["services", "monolith"])
def topology(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def client(database: DatabaseUrl, topology: str) -> Iterator[Client]:
    with (
        running_in_thread(lambda: whole_system(database, topology)) as url,
        Client(url, timeout=20) as client,
    ):
        yield client


def test_everything_is_ready(client: Client) -> None:
    assert client.ready().failing == {}
    assert client.models()


def test_a_completion_and_the_same_as_a_stream(client: Client) -> None:
    whole = client.generate("What is a queue?", max_tokens=64)
    stream = client.stream("What is a queue?", max_tokens=64)
    assert stream.text() == whole.text
    assert stream.usage == whole.usage
    assert whole.usage.completion_tokens > 0


def test_a_job(client: Client) -> None:
    prompts = [f"Say {number}" for number in range(20)]
    job = client.submit_job(prompts, max_tokens=16, idempotency_key="one")
    assert client.submit_job(prompts, max_tokens=16, idempotency_key="one").id == job.id
    last = [seen.completed for seen in client.job(job.id).events()][-1]
    assert last == 20
    assert job.wait(timeout=30).status is JobStatus.COMPLETED
    assert job.results == [client.generate(prompt, max_tokens=16).text for prompt in prompts]
    assert [listed.id for listed in client.jobs(status="completed")] == [job.id]


def test_a_chat(client: Client) -> None:
    session = client.create_session(system_prompt="Be short.")
    first = client.chat(session.id, "What is a queue?", max_tokens=32).text()
    client.chat(session.id, "And a stack?", max_tokens=32).text()
    saved = client.session(session.id).messages
    assert [message.role for message in saved] == ["user", "assistant", "user", "assistant"]
    assert saved[1].content == first


def test_a_model_that_is_not_there(client: Client) -> None:
    with pytest.raises(ModelNotFound):
        client.generate("Hello", model="nobody:nothing")


@pytest.mark.parametrize(("kind", "base"), [(openai.OpenAI, "/v1"), (groq.Groq, "")])
def test_the_official_sdks(kind: type, base: str, client: Client) -> None:
    with kind(base_url=f"{client.base_url}{base}", api_key="any", max_retries=0) as sdk:
        model = sdk.models.list().data[0].id
        messages = [{"role": "user", "content": "What is a queue?"}]
        whole = sdk.chat.completions.create(model=model, messages=messages, max_tokens=32)
        stream = sdk.chat.completions.create(model=model, messages=messages, max_tokens=32, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == whole.choices[0].message.content


def test_one_request_in_every_services_log(
    client: Client, topology: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = client.generate("What is a queue?", max_tokens=8)
    said = ""

    def paths() -> set[str]:
        nonlocal said
        said += capsys.readouterr().out
        lines = [json.loads(line) for line in said.splitlines() if line.endswith("}")]
        return {
            line["path"] for line in lines if line.get("request_id") == answer.request_id and "path" in line
        }

    wanted = {"/api/v1/generate", *(["/inference"] if topology == "services" else [])}
    eventually_sync(lambda: paths() == wanted)  # the line is written after the answer


LEFT = {
    "a completion": ("/api/v1/generate", {"prompt": "Hi"}),
    "a stream": ("/api/v1/generate/stream", {"prompt": "Hi"}),
    "a chat's turn": ("/api/v1/chat/sessions/{session}/stream", {"content": "Hi"}),
    "an SDK's completion": ("/v1/chat/completions", OPENAI),
    "an SDK's stream": ("/v1/chat/completions", {**OPENAI, "stream": True}),
}


@pytest.mark.parametrize("kind", LEFT)
async def test_a_client_that_leaves_ends_the_providers_call(
    kind: str, database: DatabaseUrl, topology: str
) -> None:
    path, body = LEFT[kind]
    async with (
        groq_server() as provider,
        whole_system(database, topology, groq_api_key=GOOD_KEY, groq_base_url=provider.url) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as http,
    ):
        provider.fault = Fault(hang=True) if "completion" in kind else Fault(stall_after=2)
        session = (await http.post("/api/v1/chat/sessions")).json()["id"]
        call = asyncio.create_task(http.post(path.format(session=session), json=body))
        await eventually(lambda: provider.open_calls == 1)
        call.cancel()
        await eventually(lambda: provider.open_calls == 0, within=1.0)
