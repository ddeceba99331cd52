"""What stands around an answer to exercise 10.3: a model that counts its calls, a network of a few hosts."""

import asyncio
import math
import socket
from collections import defaultdict
from ipaddress import ip_address
from urllib.parse import urlsplit

from prodigon_lib.workshop.lessons.lesson_10_securing_api_endpoints.network import Page

INSIDE = (
    "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::",  # noqa: S104
    "169.254.169.254", "fe80::1", "10.1.2.3", "172.16.9.9",
    "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
)  # fmt: skip


class CountedModel:
    """Notes what it is asked; `fault` is raised and `hangs` waited in place of an answer."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.fault: Exception | None = None
        self.hangs = False

    async def __call__(self, text: str, max_tokens: int, temperature: float) -> str:
        self.asked.append((text, max_tokens))
        if self.fault is not None:
            raise self.fault
        if self.hangs:
            await asyncio.Event().wait()
        if "\0" in text or not math.isfinite(temperature):
            raise ValueError("the model can't take that")
        text.encode()
        return f"{len(text)} characters"


class SmallWorld:
    """Public hosts and their pages. All that is not public answers with `secret`, and is noted.

    `names` has the addresses of a host for each look-up in turn; the last ones stay.
    """

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.names: dict[str, list[list[str]]] = {}
        self.pages: dict[str, Page] = {}
        self.fault: Exception | None = None
        self.reached: list[str] = []
        self._looks: dict[str, int] = defaultdict(int)

    def add(self, host: str, page: Page, *addresses: list[str]) -> str:
        """A host; the URL of its page."""
        self.names[host], self.pages[host] = list(addresses), page
        return f"http://{host}/"

    async def lookup(self, host: str) -> list[str]:
        host.encode("idna")
        if host in self.names:
            turns = self.names[host]
            self._looks[host] += 1
            return turns[min(self._looks[host], len(turns)) - 1]
        try:
            return [str(ip_address(host.partition("%")[0]))]
        except ValueError:
            pass
        if not host.isascii() or "\0" in host:
            raise OSError("there is no such host")
        return [
            socket.inet_ntoa(socket.inet_aton(host))
        ]  # 127.1, 0x7f.1, 2130706433: the system takes them all

    async def get(self, url: str, address: str | None = None) -> Page:
        parts = urlsplit(url)
        if self.fault is not None:
            raise self.fault
        if parts.scheme not in ("http", "https"):
            self.reached.append(url)
            return Page(200, self.secret)
        host = parts.hostname or ""
        found = ip_address(address or (await self.lookup(host))[0])
        found = getattr(found, "ipv4_mapped", None) or found
        if not found.is_global:
            self.reached.append(f"{found} by {url}")
            return Page(200, self.secret)
        return self.pages.get(host, Page(404, "nothing is here"))
