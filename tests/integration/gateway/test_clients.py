"""`Client` and `AsyncClient` against a running gateway: every method, and every kind of fault."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import pytest

from prodigon_lib import AsyncClient, Client
from prodigon_lib.core import sse
from prodigon_lib.core.errors import (
    BadRequest,
    Conflict,
    JobNotFound,
    ModelNotFound,
    NotFound,
    ProdigonError,
    RateLimited,
    SessionNotFound,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
    ValidationFailed,
)
from prodigon_lib.core.schemas.generate import Message, Role
from prodigon_lib.core.schemas.jobs import JobStatus
from tests.integration.gateway.fakes import CARDS, TOKENS, USAGE, FakeJobs, FakeModel
from tests.polling import eventually_sync

TEXT = "".join(TOKENS)


@pytest.fixture
def client(threaded: str) -> Iterator[Client]:
    with Client(threaded, timeout=10) as made:
        yield made


@pytest.fixture
async def async_client(threaded: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(threaded, timeout=10) as made:
        yield made


def test_generate(client: Client, model: FakeModel) -> None:
    answer = client.generate("Hello", model="small", max_tokens=5, temperature=0, system_prompt="Be short.")
    assert (answer.text, str(answer), answer.model) == (TEXT, TEXT, "small")
    assert (answer.usage, answer.latency_ms) == (USAGE, 1.5)
    assert answer.request_id
    client.generate(messages=[{"role": "user", "content": "a"}, Message(role=Role.ASSISTANT, content="b")])
    first, second = model.asked
    assert (first.prompt, first.max_tokens, first.temperature) == ("Hello", 5, 0)
    assert (first.model, first.system_prompt) == ("small", "Be short.")
    assert [message.content for message in second.messages or []] == ["a", "b"]


async def test_the_sync_client_works_inside_a_running_loop(threaded: str) -> None:
    assert asyncio.get_running_loop().is_running()
    with Client(threaded) as client:
        assert client.generate("Hello").text == TEXT
        assert "".join(client.stream("Hello")) == TEXT


def test_stream(client: Client) -> None:
    stream = client.stream("Hello")
    assert stream.request_id
    assert stream.usage is None
    assert list(stream) == TOKENS
    assert stream.usage == USAGE
    assert client.stream(messages=[{"role": "user", "content": "x"}]).text() == TEXT


async def test_stream_async(async_client: AsyncClient) -> None:
    stream = async_client.stream("Hello")
    assert [token async for token in stream] == TOKENS
    assert (stream.usage, bool(stream.request_id)) == (USAGE, True)
    opened = await async_client.stream("Hello")
    assert opened.request_id
    assert await opened.text() == TEXT
    async with async_client.stream("Hello") as tokens:
        assert await anext(tokens) == TOKENS[0]


class Endless:
    """Replaces a model's stream: one token, then silence; notes when it was ended."""

    def __init__(self) -> None:
        self.ended = 0

    async def __call__(self, body: bytes) -> AsyncIterator[bytes]:
        try:
            yield sse.token_bytes("one")
            await asyncio.Event().wait()
        finally:
            self.ended += 1


def test_a_stream_that_is_left_ends_the_call(client: Client, model: FakeModel) -> None:
    endless = model.forward_stream = Endless()
    with client.stream("Hello") as tokens:
        assert next(tokens) == "one"
    eventually_sync(lambda: endless.ended == 1, within=2)
    for token in client.stream("Hello"):
        assert token == "one"
        break
    eventually_sync(lambda: endless.ended == 2, within=2)
    stream = client.stream("Hello")
    stream.close()
    stream.close()
    eventually_sync(lambda: endless.ended == 3, within=2)
    assert list(stream) == []


async def test_an_async_stream_that_is_left_ends_the_call(
    async_client: AsyncClient, model: FakeModel
) -> None:
    endless = model.forward_stream = Endless()
    async with async_client.stream("Hello") as tokens:
        assert await anext(tokens) == "one"
    stream = async_client.stream("Hello")
    assert await anext(stream) == "one"
    await stream.close()
    await asyncio.to_thread(lambda: eventually_sync(lambda: endless.ended == 2, within=2))


def test_a_stream_that_breaks_raises_after_its_tokens(client: Client, model: FakeModel) -> None:
    model.fault, model.fault_after = RateLimited("slow down"), 2
    stream = client.stream("Hello")
    got = [next(stream), next(stream)]
    with pytest.raises(RateLimited, match="slow down") as caught:
        next(stream)
    assert got == TOKENS[:2]
    assert caught.value.request_id == stream.request_id


@pytest.mark.parametrize("pieces", [[sse.token_bytes("half")], [sse.token_bytes("one"), b'data: "tw\n\n']])
async def test_a_stream_without_its_end_raises(
    pieces: list[bytes], client: Client, async_client: AsyncClient, model: FakeModel
) -> None:
    model.pieces = pieces
    stream = client.stream("Hello")
    with pytest.raises(UpstreamError) as caught:
        list(stream)
    assert caught.value.request_id == stream.request_id
    with pytest.raises(UpstreamError):
        await async_client.stream("Hello").text()


def test_jobs(client: Client, jobs: FakeJobs) -> None:
    job = client.submit_job(["a", "b"], model="small", max_tokens=5, idempotency_key="key")
    assert (job.status, job.finished, job.results, job.total) == (JobStatus.PENDING, False, [None, None], 2)
    assert client.submit_job(["a", "b"], model="small", max_tokens=5, idempotency_key="key").id == job.id
    with pytest.raises(Conflict) as caught:
        client.submit_job(["other"], idempotency_key="key")
    assert (caught.value.code, bool(caught.value.request_id)) == ("IDEMPOTENCY_CONFLICT", True)
    with pytest.raises(UpstreamTimeout, match="0 of 2 done"):
        job.wait(timeout=0.1)
    assert client.job(job.id).status is JobStatus.PENDING
    jobs.finish(UUID(job.id))
    assert job.wait(timeout=5).results == ["answer 0", "answer 1"]
    assert (job.completed, job.errors, job.error) == (2, [], None)
    with pytest.raises(Conflict):
        job.cancel()
    assert client.submit_job(["x"]).cancel().status is JobStatus.CANCELLED
    failed = client.submit_job(["x"])
    jobs.finish(UUID(failed.id), JobStatus.FAILED)
    assert failed.refresh().error == "it failed"
    assert failed.retry().status is JobStatus.PENDING
    assert [seen.status for seen in failed.events()] == [JobStatus.PENDING, JobStatus.COMPLETED]
    assert "1/1" in repr(failed)
    with pytest.raises(JobNotFound):
        client.job(uuid4())


async def test_jobs_async(async_client: AsyncClient, jobs: FakeJobs) -> None:
    job = await async_client.submit_job(["a", "b"])
    with pytest.raises(UpstreamTimeout):
        await job.wait(timeout=0.1)
    assert [seen.status async for seen in job.events()] == [JobStatus.PENDING, JobStatus.COMPLETED]
    assert (await job.wait(timeout=5)).results == ["answer 0", "answer 1"]
    assert (await (await async_client.job(job.id)).refresh()).finished
    other = await async_client.submit_job(["x"])
    assert (await other.cancel()).status is JobStatus.CANCELLED
    jobs.finish(UUID(other.id), JobStatus.FAILED)
    assert (await other.retry()).status is JobStatus.PENDING
    assert [listed.id async for listed in async_client.jobs()] == [other.id, job.id]


def test_lists_go_over_all_pages(client: Client, jobs: FakeJobs) -> None:
    ids = [client.submit_job(["x"]).id for _ in range(120)]
    assert [job.id for job in client.jobs()] == ids[::-1]
    jobs.finish(UUID(ids[5]))
    assert [job.id for job in client.jobs(status="completed")] == [ids[5]]
    sessions = [client.create_session(f"session {number}").id for number in range(60)]
    assert [session.id for session in client.sessions()] == sessions[::-1]
    assert [session.title for session in client.sessions(q="sion 7")] == ["session 7"]


def test_chat(client: Client) -> None:
    session = client.create_session("A title", system_prompt="Be short.")
    assert client.create_session().title == "New Chat"
    first = client.add_message(session.id, "user", "Hello", meta={"a": 1})
    assert first.meta == {"a": 1}
    turn = client.chat(session.id, "And?", max_tokens=5)
    assert turn.text() == TEXT
    saved = client.session(str(session.id)).messages
    assert [message.content for message in saved] == ["Hello", "And?", TEXT]
    assert [str(message.id) for message in saved[1:]] == [turn.user_message_id, turn.assistant_message_id]
    client.delete_messages_from(session.id, saved[1].id)
    changed = client.update_session(session.id, title="Other", system_prompt=None)
    assert (changed.title, changed.system_prompt, changed.message_count) == ("Other", None, 1)
    client.delete_session(session.id)
    with pytest.raises(SessionNotFound):
        client.session(session.id)


async def test_chat_async(async_client: AsyncClient) -> None:
    session = await async_client.create_session()
    await async_client.add_message(session.id, "user", "Hello")
    turn = async_client.chat(session.id, "And?")
    assert await turn.text() == TEXT
    assert turn.assistant_message_id
    saved = (await async_client.session(session.id)).messages
    await async_client.delete_messages_from(session.id, saved[1].id)
    await async_client.update_session(session.id, title="Other")
    found = [each async for each in async_client.sessions(q="othe")]
    assert [each.message_count for each in found] == [1]
    await async_client.delete_session(session.id)


async def test_models_and_health(client: Client, async_client: AsyncClient) -> None:
    assert client.models() == await async_client.models() == CARDS
    assert client.health() == await async_client.health()
    assert client.ready().status == (await async_client.ready()).status == "ready"


FAULTS: list[tuple[ProdigonError, type[ProdigonError]]] = [
    (RateLimited("slow down", retry_after=3), RateLimited),
    (UpstreamError("it broke"), UpstreamError),
    (UpstreamUnavailable("away", retry_after=1), UpstreamUnavailable),
    (UpstreamTimeout("too long"), UpstreamTimeout),
    (ModelNotFound("no such model"), ModelNotFound),
]


async def test_errors_come_back_as_what_they_were(
    client: Client, async_client: AsyncClient, model: FakeModel
) -> None:
    for fault, kind in FAULTS:
        model.fault = fault
        for call in (client.generate, client.stream):
            with pytest.raises(kind) as caught:
                call("Hello")
            assert (caught.value.code, caught.value.message) == (fault.code, fault.message)
            assert caught.value.retry_after == fault.retry_after
            assert caught.value.request_id
        with pytest.raises(kind):
            await async_client.generate("Hello")
        with pytest.raises(kind):
            await async_client.stream("Hello")
        with pytest.raises(kind) as caught:
            client.models()
        assert (caught.value.code, bool(caught.value.request_id)) == (fault.code, True)


def test_what_is_wrong_with_a_request_is_said(client: Client) -> None:
    with pytest.raises(ValidationFailed, match="max_tokens"):
        client.generate("Hello", max_tokens=0)
    with pytest.raises(ValidationFailed, match="exactly one"):
        client.generate()
    with pytest.raises(BadRequest, match="job_id"):
        client.job("nonsense")


async def test_nothing_answers() -> None:
    with Client("http://127.0.0.1:9/") as client:
        for call in (client.generate, client.stream):
            with pytest.raises(
                UpstreamUnavailable, match=r"nothing answers at http://127.0.0.1:9: is the stack"
            ):
                call("Hello")
    async with AsyncClient("http://127.0.0.1:9") as async_client:
        with pytest.raises(UpstreamUnavailable, match="is the stack running"):
            await async_client.generate("Hello")
        with pytest.raises(UpstreamUnavailable, match="is the stack running"):
            await async_client.stream("Hello").text()


async def test_no_answer_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url, timeout=0.2) as client, pytest.raises(UpstreamTimeout):
            client.generate("Hello")
        async with AsyncClient(url, timeout=0.2) as async_client:
            with pytest.raises(UpstreamTimeout):
                await async_client.stream("Hello").text()


def test_another_server_is_told_apart(client: Client) -> None:
    with Client(client.base_url + "/nothing") as other, pytest.raises(NotFound):
        other.health()
    with Client(client.base_url + "/docs/assets/swagger") as other, pytest.raises(ProdigonError):
        other.health()
