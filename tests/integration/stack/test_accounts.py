"""Stacks with accounts: made in one line, kept, and nobody else's."""

import asyncio
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import groq as groq_errors
import httpx
import openai as openai_errors
import pytest
from groq import Groq
from openai import OpenAI

from prodigon_lib import Client, Stack
from prodigon_lib.core.errors import Forbidden, JobNotFound, SessionNotFound, StackError, Unauthenticated
from prodigon_lib.widgets.door import Door, PanelClient, refusal_of
from prodigon_lib.widgets.target import Target
from tests.conftest import SETTINGS
from tests.polling import eventually_sync

TOPOLOGIES: dict[str, dict[str, Any]] = {
    "services": {"replicas": {"gateway": 2}, "cache": "memory"},
    "monolith": {"topology": "monolith"},
    "grpc": {"grpc": True},
}


@pytest.fixture(scope="module", params=TOPOLOGIES)
def secured(request: pytest.FixtureRequest, stack_home: Path) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(name, raising=False)
        patch.setenv("PRODIGON_HOME", str(stack_home))
        options = TOPOLOGIES[request.param]
        running = Stack.start(f"accounts-{request.param}", auth=True, profile="instant", **options)
    yield running
    running.stop(force=True)


def test_nobody_gets_in_without_an_account(secured: Stack) -> None:
    with secured.client() as client:
        assert client.health().service == "gateway"
        with pytest.raises(Unauthenticated):
            client.generate("What is a lease?")
    with Client(secured.url, user="ada", password="guessed") as client, pytest.raises(Unauthenticated):
        client.generate("What is a lease?")


def test_what_one_user_makes_is_not_there_for_another(secured: Stack) -> None:
    with secured.client(user="ada") as ada, secured.client(user="bob") as bob:
        assert ada.generate("What is a lease?").text
        assert "".join(ada.stream("What is a lease?"))
        session = ada.create_session("Mine")
        assert "".join(ada.chat(session.id, "What is a lease?"))
        job = ada.submit_job(["What is a lease?", "What is a seam?"])
        assert job.wait(timeout=30).results
        with pytest.raises(SessionNotFound):
            bob.session(session.id)
        with pytest.raises(JobNotFound):
            bob.job(job.id)
        assert [list(bob.sessions()), list(bob.jobs())] == [[], []]
    with secured.client(user="ada") as again:
        assert [each.id for each in again.sessions()] == [session.id]


def test_an_account_is_made_inside_a_running_loop_too(secured: Stack) -> None:
    async def ask() -> str:
        async with secured.async_client(user="eve") as client:
            return (await client.generate("What is a lease?")).text

    assert asyncio.run(ask())


def test_a_panel_is_its_users(secured: Stack) -> None:
    told: list[str] = []

    async def titles(**who: Any) -> set[str]:
        target = Target.of(secured, **who)
        async with PanelClient(Door(target, told.append), target) as client:
            return {session.title async for session in client.sessions()}

    with secured.client(user="dora") as dora:
        dora.create_session("Seen in the panel")
    assert asyncio.run(titles(user="dora")) == {"Seen in the panel"}
    assert asyncio.run(titles(user="fred")) == set()
    assert told == []
    with pytest.raises(Unauthenticated, match=r'user="ada"'):
        asyncio.run(titles())
    assert told == [refusal_of(Target.of(secured))]


def test_either_official_sdk_takes_a_key(secured: Stack) -> None:
    with secured.client(user="ada") as ada:
        key = ada.create_key("sdk", ["generate"])
        openai = OpenAI(base_url=f"{secured.url}/v1", api_key=key.key, max_retries=0)
        groq = Groq(base_url=secured.url, api_key=key.key, max_retries=0)
        asked: Any = {"model": ada.models()[0].id, "messages": [{"role": "user", "content": "Hi"}]}
        for sdk in (openai, groq):
            assert sdk.chat.completions.create(**asked).choices[0].message.content
            stream = sdk.chat.completions.create(**asked, stream=True)
            assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        with Client(secured.url, api_key=key.key) as keyed, pytest.raises(Forbidden):
            keyed.create_session()
        assert [each.name for each in ada.api_keys()] == ["sdk"]
        ada.revoke_key(key.key_id)
    # The gateway that did not revoke it may know it for some seconds more.
    eventually_sync(lambda: refused(openai, openai_errors.AuthenticationError, asked), within=20, every=0.5)
    eventually_sync(lambda: refused(groq, groq_errors.AuthenticationError, asked), within=20, every=0.5)


def refused(sdk: Any, error: type[Exception], asked: Any) -> bool:
    try:
        sdk.chat.completions.create(**asked)
    except error:
        return True
    return False


def test_a_role_is_given_to_an_account(secured: Stack) -> None:
    with secured.client(user="root", role="operator") as operator:
        assert operator.health()
    with pytest.raises(StackError, match="role must be"):
        secured.client(user="root", role="king")
    with pytest.raises(StackError, match="user must be"):
        secured.client(user="a b")


def test_services_take_calls_of_each_other_alone(secured: Stack) -> None:
    """A monolith's take none at all: its one port is the gateway's, which lets in only who has an account."""
    alone = secured.urls["model"] != secured.url
    for url in (secured.urls["model"] + "/models", secured.urls["worker"] + "/jobs"):
        error = httpx.get(url, trust_env=False).json()["error"]
        assert error["code"] == ("UNKNOWN_SERVICE" if alone else "UNAUTHENTICATED")
    assert secured.simulated.get()["profile"] == "instant"


def test_figures_are_read_from_this_machine(secured: Stack) -> None:
    figures = httpx.get(f"{secured.urls['gateway']}/metrics", trust_env=False).text
    assert "prodigon_access_denied_total" in figures


def test_who_can_read_the_folder_alone_can_log_in(secured: Stack) -> None:
    kept = secured._folder.envelope_keys
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_stack_without_accounts_says_so(stack: Stack) -> None:
    with pytest.raises(StackError, match="auth=True"):
        stack.client(user="ada")
