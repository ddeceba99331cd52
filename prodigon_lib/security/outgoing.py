"""Fetching an address that a user gave, so that the request can't be turned against the inside (SSRF).

A gateway reaches what its callers can't: its own loopback, the services behind it, a cloud's metadata. So
what a user's address leads to is looked at before anything is sent: its scheme, its port, and each address of
its name. The connection goes to what was looked at: a name that is resolved again may lead elsewhere by then
(DNS rebinding). Each redirect is an address that a stranger gave, and is looked at the same way.

Nothing in the platform takes an address from a user today; lesson 10 shows this on one that does. What an
operator sets (`MODEL_SERVICE_URL`, an OIDC issuer) is not a user's and needs none of it.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from prodigon_lib.core.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable, UrlRefused
from prodigon_lib.core.http.client_address import Network
from prodigon_lib.security.public_addresses import is_public

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name."""

PRINTABLE = re.compile(r"[!-~]{1,2000}")
NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?:[a-z]|xn--)[a-z0-9-]*[a-z0-9]"
)
"""A name with a dot, whose last part is none of a number's: `127.1`, `0x7f.1` and `2130706433` are addresses
to some libraries, and `localhost` is nobody else's."""

REDIRECTS = (301, 302, 303, 307, 308)
USUAL_PORTS = {"http": 80, "https": 443}
PIECE = 64 * 1024


async def resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class Fetched:
    """Args: `url` is where the answer came from, after redirects."""

    url: str
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Fetches with GET, and sends nothing that tells who asks: no credentials, no cookies, no proxy's.

        await Outgoing().fetch("https://example.org/feed")

    Args:
        schemes: of addresses and of where they redirect.
        ports: to which connections may go.
        inside: networks that may be reached although they are not public; an operator's to say.
        redirects: how many are followed.
        seconds: for all of it, redirects and names too.
        most_bytes: of the body.
        resolve: asked once for each name, and never again before the connection.
    """

    schemes: tuple[str, ...] = ("https",)
    ports: tuple[int, ...] = (443,)
    inside: tuple[Network, ...] = ()
    redirects: int = 3
    seconds: float = 10.0
    most_bytes: int = 1024 * 1024
    resolve: Resolve = resolve

    async def fetch(self, url: str) -> Fetched:
        """
        Raises:
            UrlRefused: it, or where it redirects to, may not be fetched.
            UpstreamUnavailable, UpstreamTimeout, UpstreamError: nobody is there, it takes too long, it
                redirects on and on, or its answer is too large or compressed.
        """
        try:
            async with asyncio.timeout(self.seconds):
                return await self._follow(url)
        except TimeoutError:
            raise UpstreamTimeout(f"the address took longer than {self.seconds:g} s") from None
        except (aiohttp.ClientError, OSError):
            raise UpstreamUnavailable("the address could not be reached") from None

    async def _follow(self, text: str) -> Fetched:
        for _ in range(self.redirects + 1):
            url = self._checked(text)
            answer = await self._get(url, await self._addresses(url))
            if isinstance(answer, Fetched):
                return answer
            text = answer
        raise UpstreamError(f"the address redirects more than {self.redirects} times")

    def _checked(self, text: str) -> URL:
        """The address as it will be used, read once: two readers may find two hosts in it."""
        if not PRINTABLE.fullmatch(text) or "\\" in text:
            raise UrlRefused("the address has signs that no address has")
        try:
            url = URL(text)
            port = url.port
        except ValueError:
            raise UrlRefused("this is no address") from None
        if url.scheme not in self.schemes:
            raise UrlRefused(f"the address must begin with {' or '.join(self.schemes)}")
        if url.user is not None or url.password is not None:
            raise UrlRefused("the address may have no user and no password in it")
        if port not in self.ports:
            raise UrlRefused("the address names a port that may not be reached")
        if not usual(url.host or ""):
            raise UrlRefused("the host must be a whole name or an address in its usual form")
        return url

    async def _addresses(self, url: URL) -> list[str]:
        assert url.host is not None  # `_checked` saw to it
        assert url.port is not None
        literal = address_of(url.host)
        found = [str(literal)] if literal else list(await self.resolve(url.host, url.port))
        if not found or not all(self._may_reach(text) for text in found):
            raise UrlRefused("the address leads to where nobody outside may go")
        return found

    def _may_reach(self, text: str) -> bool:
        address = address_of(text)
        return address is not None and (
            is_public(address) or any(address in network for network in self.inside)
        )

    async def _get(self, url: URL, addresses: list[str]) -> Fetched | str:
        """The answer, or where it redirects."""
        connector = aiohttp.TCPConnector(resolver=Pinned(addresses), use_dns_cache=False, force_close=True)
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                headers={"Accept-Encoding": "identity", "User-Agent": "prodigon"},
            ) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status in REDIRECTS and "Location" in answer.headers:
                return self._next(url, answer.headers["Location"])
            kind = answer.headers.get("Content-Type", "")
            return Fetched(str(url), answer.status, kind, await self._body(answer))

    def _next(self, url: URL, location: str) -> str:
        if not PRINTABLE.fullmatch(location) or "\\" in location:
            raise UrlRefused("the address redirects to what is no address")
        try:
            return str(url.join(URL(location)))
        except ValueError:
            raise UrlRefused("the address redirects to what is no address") from None

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UpstreamError("the answer is compressed, which was not asked for")
        return await body_within(self.most_bytes, answer)


class Pinned(AbstractResolver):
    """Knows the addresses that were looked at, and asks nobody."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self.addresses
        ]

    async def close(self) -> None:
        pass


async def body_within(most_bytes: int, answer: aiohttp.ClientResponse) -> bytes:
    """Raises UpstreamError: it is longer."""
    body = bytearray()
    async for piece in answer.content.iter_chunked(PIECE):
        body += piece
        if len(body) > most_bytes:
            raise UpstreamError(f"the answer is larger than {most_bytes} bytes")
    return bytes(body)


def usual(host: str) -> bool:
    """A name with dots in it, or an address in the one form that every library reads alike."""
    return address_of(host) is not None or NAME.fullmatch(host.lower()) is not None


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
