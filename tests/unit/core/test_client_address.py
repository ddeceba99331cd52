"""Whose request it is: nothing that a caller writes may change the answer."""

import pytest

from prodigon_lib.core.http.client_address import client_address, parse_networks, subscriber

PROXIES = parse_networks("10.0.0.0/8, ::1")


def asked_by(peer: str | None, *forwarded: str) -> dict[str, object]:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"client": (peer, 1234) if peer else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.7", (), "203.0.113.7"),
        ("203.0.113.7", ("198.51.100.1",), "203.0.113.7"),  # no proxy of ours: it may say what it likes
        ("10.0.0.1", ("203.0.113.7",), "203.0.113.7"),
        ("10.0.0.1", ("1.1.1.1, 203.0.113.7",), "203.0.113.7"),  # what the client had written stands before
        ("10.0.0.1", ("1.1.1.1", "203.0.113.7"), "203.0.113.7"),  # in a header of its own
        ("10.0.0.1", ("1.1.1.1, 203.0.113.7, 10.0.0.2",), "203.0.113.7"),  # two proxies of ours
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("nonsense",), "10.0.0.1"),
        ("10.0.0.1", ("203.0.113.7:5555",), "203.0.113.7"),
        ("::1", ("[2001:db8::5]:443",), "2001:db8::5"),
        ("::ffff:203.0.113.7", (), "203.0.113.7"),
        (None, ("203.0.113.7",), "unknown"),
    ],
)
def test_the_nearest_that_is_no_proxy_of_ours(peer: str, forwarded: tuple[str, ...], expected: str) -> None:
    assert client_address(asked_by(peer, *forwarded), PROXIES) == expected


def test_without_proxies_nobody_is_believed() -> None:
    assert client_address(asked_by("10.0.0.1", "203.0.113.7"), ()) == "10.0.0.1"


def test_one_line_has_many_addresses_of_ipv6() -> None:
    assert subscriber("2001:db8::5") == subscriber("2001:db8::ffff:1") != subscriber("2001:db8:0:1::5")
    assert subscriber("203.0.113.7") == "203.0.113.7"
    assert subscriber("unknown") == "unknown"
