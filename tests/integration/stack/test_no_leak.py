"""A stack that is given every kind of secret, and that meets every fault that might quote one, shows none.

`tests/leaks.py` reads all that it wrote once the test is over.
"""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import redis

from prodigon_lib import Stack
from prodigon_lib.core.redaction import REDACTED
from prodigon_lib.security.envelope_keys import draw_envelope_key
from prodigon_lib.stack.postgres import EmbeddedPostgres
from tests.fakes.groq_server import Fault, GroqServer, groq_server
from tests.integration.conftest import run_sql
from tests.integration.redis_server import redis_of_its_own
from tests.leaks import Watch
from tests.polling import eventually

ASK = {"prompt": "Hello?", "max_tokens": 7}


@pytest.fixture
def database_url(watch: Watch, postgres: EmbeddedPostgres) -> str:
    """That of a user with a password."""
    password = watch.draw("the database's password")
    run_sql(postgres.url(), f"CREATE ROLE quiet LOGIN CREATEDB PASSWORD '{password}'")
    return postgres.url().replace("postgres@", f"quiet:{password}@")


@pytest.fixture
def redis_url(watch: Watch) -> Iterator[str]:
    password = watch.draw("Redis' password")
    with redis_of_its_own() as server:
        with redis.Redis.from_url(server.url) as client:
            client.config_set("requirepass", password)
        yield server.url.replace("unix://", f"unix://:{password}@")


@pytest.fixture
async def groq(watch: Watch) -> AsyncIterator[GroqServer]:
    async with groq_server() as server:
        server.keys = {watch.draw("the Groq key", "gsk_")}
        yield server


@pytest.fixture
def stack(watch: Watch, database_url: str, redis_url: str, groq: GroqServer) -> Iterator[Stack]:
    settings = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    for name in ("ENVELOPE_KEYS", "SERVICE_KEYS"):
        settings[name] = draw_envelope_key("canary")
        watch.keep_quiet_about(settings[name].partition(":")[2], f"the key in {name}")
    settings |= {"GROQ_API_KEY": next(iter(groq.keys)), "GROQ_BASE_URL": groq.url, "LOG_LEVEL": "DEBUG"}
    with Stack.start("quiet", auth=True, cache="redis", settings=settings) as running:
        yield running


async def become_a_user(http: httpx.AsyncClient, watch: Watch) -> None:
    """With all that a user may have, shown wherever it does not belong."""
    ada = {"name": "ada", "password": watch.draw("a user's password")}
    assert (await http.post("/api/v1/auth/register", json=ada)).status_code == 201
    tokens = (await http.post("/api/v1/auth/login", json=ada)).json()
    for kind in ("access_token", "refresh_token"):
        watch.keep_quiet_about(tokens[kind], f"a user's {kind}")
    http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    made = await http.post("/api/v1/keys", json={"name": "script", "scopes": ["generate"]})
    assert made.status_code == 201, made.text
    key = watch.keep_quiet_about(made.json()["key"], "a user's API key")
    credentials = (key, tokens["access_token"], tokens["refresh_token"])
    for shown in (*credentials, ada["password"]):
        if shown in credentials:  # nobody can tell a password from another word in a path
            assert (await http.get(f"/api/v1/keys/{shown}")).status_code in (400, 404, 405)
        assert (await http.get("/api/v1/jobs", params={"cursor": shown})).status_code in (400, 422)
        wrong = {"Authorization": f"Bearer {shown}x"}
        assert (await http.get("/api/v1/auth/me", headers=wrong)).status_code == 401
        answer = await http.post("/api/v1/auth/login", json={"name": "ada", "password": f"{shown}-"})
        assert answer.status_code in (401, 422)


async def test_no_secret_gets_out(stack: Stack, watch: Watch, groq: GroqServer, redis_url: str) -> None:
    (key,) = groq.keys
    async with httpx.AsyncClient(base_url=stack.url, timeout=30) as http:
        await become_a_user(http, watch)
        assert (await http.post("/api/v1/generate", json=ASK)).json()["text"] == "Hello world."
        groq.fault = Fault(status=400, says=f"bad request with Authorization: Bearer {key}")
        for path in ("/api/v1/generate", "/api/v1/generate/stream", "/v1/chat/completions"):
            body = {"messages": [{"role": "user", "content": path}], "model": "llama-3.3-70b-versatile"}
            assert (await http.post(path, json=body)).status_code == 502
        groq.fault, groq.keys = Fault(), set()
        assert (await http.post("/api/v1/generate", json={"prompt": "With an old key?"})).status_code == 502
        assert (await http.post(f"/api/v1/jobs/{key}/retry")).status_code == 400
        await http.post("/api/v1/jobs", json={"prompts": ["one", key]})
        with redis.Redis.from_url(redis_url) as client:
            client.config_set("requirepass", "another-one")
            client.client_kill_filter(_type="normal", skipme=True)
        await http.post("/api/v1/generate", json={"prompt": "Without Redis?"})
        await eventually(
            lambda: REDACTED in str(stack.logs("model")) and REDACTED in str(stack.logs("gateway"))
        )
