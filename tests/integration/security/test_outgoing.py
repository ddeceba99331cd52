"""Fetching what a user names: over real sockets, with a fake for what names lead to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from ipaddress import ip_network

import pytest
from aiohttp import web

from prodigon_lib.core.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable, UrlRefused
from prodigon_lib.security.outgoing import Outgoing
from tests.integration.serving import listen

HERE = "127.0.0.1"
METADATA = "169.254.169.254"
PUBLIC = "8.8.8.8"
MANY = 100_000


class Names:
    """What a name leads to, in the order in which it is asked for; the last one for ever."""

    def __init__(self) -> None:
        self.known: dict[str, list[list[str]]] = {"good.example": [[HERE]]}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        answers = self.known.get(host, [])
        if not answers:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def seen() -> list[web.Request]:
    return []


@pytest.fixture
async def port(seen: list[web.Request]) -> AsyncIterator[int]:
    """A server whose answers a path names."""

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        if to := request.query.get("to"):
            headers = {"Location": to, "Set-Cookie": "a=b"}
            return web.Response(status=int(request.query.get("status", "302")), headers=headers)
        if request.path == "/slow":
            await asyncio.sleep(60)
        if request.path == "/compressed":
            return web.Response(body=b"x", headers={"Content-Encoding": "br"})
        return web.Response(body=b"x" * int(request.query.get("size", "2")), content_type="text/plain")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = listen(0)
    await web.SockSite(runner, listener).start()
    yield listener.getsockname()[1]
    await runner.cleanup()


@pytest.fixture
def outgoing(names: Names, port: int) -> Outgoing:
    """Takes this machine's loopback for one of the world's; everything else inside stays closed."""
    inside = (ip_network(f"{HERE}/32"),)
    return Outgoing(
        schemes=("http",), ports=(port, 443), inside=inside, resolve=names, seconds=20, most_bytes=MANY
    )


@pytest.fixture
def at(port: int) -> Callable[..., str]:
    def address(path: str = "/", host: str = "good.example") -> str:
        return f"http://{host}:{port}{path}"

    return address


async def test_what_is_public_is_fetched(outgoing: Outgoing, at: Callable[..., str]) -> None:
    fetched = await outgoing.fetch(at("/feed?size=5"))
    assert (fetched.status, fetched.body, fetched.url) == (200, b"xxxxx", at("/feed?size=5"))
    assert fetched.content_type.startswith("text/plain")


@pytest.mark.parametrize(
    "addresses",
    [[METADATA], ["10.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], [HERE, METADATA], []],
)
async def test_a_name_that_leads_inside_is_refused(
    addresses: list[str], outgoing: Outgoing, names: Names, at: Callable[..., str], seen: list[web.Request]
) -> None:
    """Also when only one of its addresses does."""
    names.known["evil.example"] = [addresses]
    with pytest.raises(UrlRefused):
        await outgoing.fetch(at("/", "evil.example"))
    assert seen == []


async def test_a_name_is_asked_for_once(outgoing: Outgoing, names: Names, at: Callable[..., str]) -> None:
    """By the second time it leads elsewhere: who asks again has looked at one address and goes to another."""
    names.known["turns.example"] = [[HERE], [METADATA]]
    assert (await outgoing.fetch(at("/", "turns.example"))).status == 200
    assert names.asked == ["turns.example"]
    with pytest.raises(UrlRefused):
        await outgoing.fetch(at("/", "turns.example"))


ODD = [
    "2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.01", "localhost", "localhost.",
    "good.example.", "127.0.0.1.", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1%25lo]", "127.0.0.2", METADATA,
    "user@good.example", "user:word@good.example", "good.example@127.0.0.2", "%6c%6fcalhost",
    "good.example%00.b",
]  # fmt: skip


@pytest.mark.parametrize("host", ODD)
async def test_an_odd_spelling_is_refused(
    host: str, outgoing: Outgoing, names: Names, at: Callable[..., str], seen: list[web.Request]
) -> None:
    with pytest.raises(UrlRefused):
        await outgoing.fetch(at("/", host))
    assert (names.asked, seen) == ([], [])


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "gopher://good.example/", "ftp://good.example/", "//good.example/",
        "good.example", "",
        "https://good.example/", "http://good.example:22/", "http://good.example:99999/", "http://", "http://[/",
        "http://good.example\\@127.0.0.2/", "http://good.example/ x", "http://good.example/\r\nHost: a",
        "http://gööd.example/",
    ],
)  # fmt: skip
async def test_no_other_scheme_port_or_sign(url: str, outgoing: Outgoing, names: Names) -> None:
    with pytest.raises(UrlRefused):
        await outgoing.fetch(url)
    assert names.asked == []


async def test_nothing_is_open_that_nobody_opened(names: Names) -> None:
    names.known["good.example"] = [[HERE]]
    with pytest.raises(UrlRefused):
        await Outgoing(resolve=names).fetch("https://good.example/")
    for url in ("http://good.example/", "http://good.example:443/", "https://good.example:80/"):
        with pytest.raises(UrlRefused, match=r"must begin with|a port"):
            await Outgoing(resolve=names).fetch(url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed(status: int, outgoing: Outgoing, at: Callable[..., str]) -> None:
    fetched = await outgoing.fetch(at(f"/?to=/there&status={status}"))
    assert (fetched.status, fetched.url) == (200, at("/there"))


@pytest.mark.parametrize(
    "to",
    [
        "http://evil.example/",
        f"http://{METADATA}/",
        "file:///etc/passwd",
        "http://127.1/",
        "//evil.example/",
        "http://[/",
        "http://good.example:99999/",
    ],
)
async def test_a_redirect_is_looked_at_too(
    to: str, outgoing: Outgoing, names: Names, at: Callable[..., str], seen: list[web.Request], port: int
) -> None:
    names.known["evil.example"] = [[METADATA]]
    with pytest.raises(UrlRefused):
        await outgoing.fetch(at(f"/?to={to.replace('example/', f'example:{port}/')}"))
    assert len(seen) == 1


async def test_nothing_is_carried_along(
    outgoing: Outgoing, at: Callable[..., str], seen: list[web.Request]
) -> None:
    await outgoing.fetch(at(f"/?to={at('/there')}"))
    assert len(seen) == 2
    for request in seen:
        assert {"authorization", "cookie", "referer"}.isdisjoint(name.lower() for name in request.headers)
        assert request.headers["Host"].startswith("good.example:")


async def test_no_proxy_of_the_environment_is_asked(
    outgoing: Outgoing, at: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would resolve the name anew, out of our sight."""
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert (await outgoing.fetch(at())).status == 200


async def test_it_does_not_redirect_for_ever(
    outgoing: Outgoing, at: Callable[..., str], seen: list[web.Request]
) -> None:
    there = at("/?to=/b")
    with pytest.raises(UpstreamError, match="more than 1 times"):
        await replace(outgoing, redirects=1).fetch(f"{at('/')}?to={there.replace('?', '%3F')}")
    assert len(seen) == 2


async def test_it_reads_no_more_than_it_may(outgoing: Outgoing, at: Callable[..., str]) -> None:
    assert len((await outgoing.fetch(at(f"/?size={MANY}"))).body) == MANY
    with pytest.raises(UpstreamError, match="larger"):
        await outgoing.fetch(at(f"/?size={MANY + 1}"))


async def test_it_unpacks_nothing(outgoing: Outgoing, at: Callable[..., str]) -> None:
    with pytest.raises(UpstreamError, match="compressed"):
        await outgoing.fetch(at("/compressed"))


async def test_it_does_not_wait_for_ever(outgoing: Outgoing, at: Callable[..., str]) -> None:
    with pytest.raises(UpstreamTimeout):
        await replace(outgoing, seconds=1).fetch(at("/slow"))


async def test_who_is_not_there_is_no_secret(outgoing: Outgoing, at: Callable[..., str]) -> None:
    with pytest.raises(UpstreamUnavailable):
        await outgoing.fetch(at("/", "nobody.example"))
