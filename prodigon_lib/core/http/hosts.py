"""Which `Host` a request may name.

A web page can point a name of its own at a loopback address, and then calls a service on its visitor's
machine as if it were the page's own site (DNS rebinding). The name in `Host` gives it away.
"""

import re
from collections.abc import Sequence
from ipaddress import ip_address

from starlette.types import Scope

from prodigon_lib.core.errors import BadRequest

EVERY = "*"
FORM = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?")
PATTERN = re.compile(r"\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f]*(?::[0-9a-f.]*){2,7}")
MOST_KNOWN = 1000


def parse_hosts(text: str) -> tuple[str, ...]:
    """`api.example.org, *.example.org`, or `*` for every host.

    Raises:
        ValueError: one is no name and no address.
    """
    hosts = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not all(PATTERN.fullmatch(host) for host in hosts):
        raise ValueError(
            "must be names or addresses without ports, separated by commas; *.name is all below it"
        )
    return hosts


class TrustedHosts:
    """Refuses a request whose `Host` is none of these.

    Args:
        names: as `parse_hosts` gives them. Without any, who comes over loopback must name a loopback host,
            and who comes from elsewhere may name any.
        loopback: whether a loopback name is good in any case.
    """

    def __init__(self, names: Sequence[str] = (), *, loopback: bool = True) -> None:
        self.names, self.loopback = frozenset(names), loopback
        self._below = tuple(name[1:] for name in names if name.startswith("*."))
        self._known: set[tuple[bytes, str]] = set()

    def check(self, scope: Scope) -> None:
        """Raises BadRequest."""
        given = [value for name, value in scope["headers"] if name == b"host"]
        reached = (scope.get("server") or ("",))[0]
        if len(given) == 1:
            asked = (given[0], reached)
            if asked in self._known:
                return
            if self.trusts(given[0].decode("latin-1"), reached):
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known.add(asked)
                return
        raise BadRequest("this Host is not one of this service's", code="UNTRUSTED_HOST")

    def trusts(self, host: str, reached: str) -> bool:
        """Args: `reached` is the address that the connection came to."""
        found = FORM.fullmatch(host.lower())
        if found is None:
            return False
        name = (found[1] or found[2]).removesuffix(".")
        if self.loopback and is_loopback(name):
            return True
        if not self.names:
            return not is_loopback(reached)
        return EVERY in self.names or name in self.names or name.endswith(self._below)


def is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
