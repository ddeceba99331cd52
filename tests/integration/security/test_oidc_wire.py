"""What a provider is asked over real sockets, and what it may answer: it is trusted with little."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import BasicAuth, web

from prodigon_lib.core.errors import Unauthenticated, UpstreamError, UpstreamUnavailable
from prodigon_lib.security.oidc_wire import DISCOVERY, MOST_BYTES, ProviderWire
from tests.integration.serving import listen

BACK = "https://gateway.example.org/back"
SECRET = "a secret & more"  # pragma: allowlist secret
ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """Answers each path as a test says, and keeps what it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, web.Response] = {}
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.path, dict(request.headers), dict(await request.post())))
        if request.path == "/slow":
            await asyncio.sleep(60)
        return self.answers[request.path]

    def about(self, **others: Any) -> dict[str, Any]:
        return {name: f"{self.url}/{name}" for name in ADDRESSES} | others


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made, app, listener = Provider(), web.Application(), listen(0)
    made.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    yield made
    await runner.cleanup()


@pytest.fixture
def wire() -> ProviderWire:
    return ProviderWire("prodigon", SECRET)


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("address", ["http://id.example.org/x", "ftp://127.0.0.1/x", "", None, 7])
async def test_an_address_that_is_not_over_tls_is_not_used(
    provider: Provider, wire: ProviderWire, name: str, address: object
) -> None:
    provider.answers[DISCOVERY] = web.json_response(provider.about(**{name: address}))
    with pytest.raises(UpstreamError, match=name):
        await wire.about(provider.url)


async def test_no_answer_leads_on_to_another_address(provider: Provider, wire: ProviderWire) -> None:
    """The form with the client's secret would go there too."""
    elsewhere = {"Location": f"{provider.url}/elsewhere"}
    for status in (302, 307):
        provider.answers["/token_endpoint"] = web.Response(status=status, headers=elsewhere)
        with pytest.raises(UpstreamError, match=str(status)):
            await wire.exchange(provider.about(), "c", "v", BACK)
    assert {path for path, *_ in provider.seen} == {"/token_endpoint"}


@pytest.mark.parametrize(("extra", "good"), [(0, True), (1, False)])
async def test_no_answer_is_read_beyond_its_limit(
    provider: Provider, wire: ProviderWire, extra: int, good: bool
) -> None:
    document = json.dumps({"keys": []}).encode().ljust(MOST_BYTES + extra)
    provider.answers["/jwks_uri"] = web.Response(body=document)
    if good:
        assert await wire.keys(provider.about()) == {"keys": []}
    else:
        with pytest.raises(UpstreamError, match="larger"):
            await wire.keys(provider.about())


async def test_a_provider_that_does_not_answer_is_not_waited_for(provider: Provider) -> None:
    with pytest.raises(UpstreamUnavailable):
        await ProviderWire("prodigon", SECRET, seconds=1).keys({"jwks_uri": f"{provider.url}/slow"})


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'"x"', b"null"])
async def test_what_is_no_document_is_not_taken_for_one(
    provider: Provider, wire: ProviderWire, body: bytes
) -> None:
    provider.answers["/jwks_uri"] = web.Response(body=body)
    with pytest.raises(UpstreamError, match="something else"):
        await wire.keys(provider.about())


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Unauthenticated), (401, Unauthenticated), (403, UpstreamError), (500, UpstreamError)],
)
async def test_a_code_that_is_refused_is_the_callers_fault(
    provider: Provider, wire: ProviderWire, status: int, kind: type[Exception]
) -> None:
    provider.answers["/token_endpoint"] = web.Response(status=status)
    with pytest.raises(kind):
        await wire.exchange(provider.about(), "c", "v", BACK)


async def test_an_answer_without_an_id_token_is_none(provider: Provider, wire: ProviderWire) -> None:
    for answer in ({"access_token": "x"}, {"id_token": 7}):
        provider.answers["/token_endpoint"] = web.json_response(answer)
        with pytest.raises(UpstreamError, match="id token"):
            await wire.exchange(provider.about(), "c", "v", BACK)


@pytest.mark.parametrize("methods", [None, ["client_secret_basic"], ["client_secret_post"]])
async def test_the_secret_and_the_verifier_go_to_the_token_endpoint(
    provider: Provider, wire: ProviderWire, methods: list[str] | None
) -> None:
    about = provider.about(**({} if methods is None else {"token_endpoint_auth_methods_supported": methods}))
    provider.answers["/token_endpoint"] = web.json_response({"id_token": "t"})
    assert await wire.exchange(about, "c", "v", BACK) == "t"
    ((_, headers, form),) = provider.seen
    assert (form["code"], form["code_verifier"], form["redirect_uri"]) == ("c", "v", BACK)
    if methods == ["client_secret_post"]:
        assert (form["client_secret"], headers.get("Authorization")) == (SECRET, None)
    else:
        assert BasicAuth.decode(headers["Authorization"]).password == "a+secret+%26+more"
        assert "client_secret" not in form


async def test_no_proxy_of_the_environment_hears_of_it(
    provider: Provider, wire: ProviderWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    provider.answers["/jwks_uri"] = web.json_response({"keys": []})
    assert await wire.keys(provider.about()) == {"keys": []}
