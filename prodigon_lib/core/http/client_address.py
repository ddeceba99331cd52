"""Whose request it is, by address: what a proxy of ours says of it, and nothing that its caller says."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
FORWARDED = b"x-forwarded-for"
UNKNOWN = "unknown"
A_SUBSCRIBER = 64
"""Bits of an IPv6 address that one line has for itself: who owns one address of them owns all."""


def parse_networks(text: str) -> tuple[Network, ...]:
    """`10.0.0.0/8, ::1`.

    Raises:
        ValueError: one is no address and no network.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """The nearest address that is not a trusted proxy's.

    Each proxy adds whom it heard at the end of `X-Forwarded-For`, so the list is read from its end, and only
    as far as trusted proxies vouch for it. What stands before that, anybody can write.
    """
    peer = scope.get("client")
    found = plain(peer[0]) if peer else None
    if found is None:
        return UNKNOWN
    said = b",".join(value for name, value in scope["headers"] if name == FORWARDED) if trusted else b""
    for part in reversed(said.decode("latin-1").split(",")):
        if not any(found in network for network in trusted):
            break
        before = plain(part)
        if before is None:
            break
        found = before
    return str(found)


def plain(text: str) -> Address | None:
    """An address without a port; an IPv4 one that is written as IPv6 is the IPv4 one."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def subscriber(address: str) -> str:
    """Whom to count by: the address, of IPv6 its first half."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, A_SUBSCRIBER), strict=False)) if found.version == 6 else address
