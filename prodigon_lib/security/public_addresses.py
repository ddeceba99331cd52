"""Which addresses are out in the world: by IANA's registries of special-purpose addresses, as of 2026."""

from ipaddress import IPv4Address, IPv6Address, ip_network

SPECIAL = tuple(
    map(
        ip_network,
        """
        0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
        192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
        2001::/23 2001:db8::/32 2002::/16 3fff::/20
        """.split(),
    )
)
WORLDWIDE = ip_network("2000::/3")
"""All of IPv6 that is given out. What stands outside of it is local, or an IPv4 address in other clothes:
mapped (`::ffff:0:0/96`), compatible (`::/96`), or behind a translator (NAT64, `64:ff9b::/96`)."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Also false for 6to4 (`2002::/16`) and Teredo (`2001::/32`), which carry an IPv4 address inside."""
    if address.version == 6 and address not in WORLDWIDE:
        return False
    return not any(address in network for network in SPECIAL)
