"""Which `Host` is let in: over loopback only a loopback one, unless somebody says more."""

import pytest

from prodigon_lib.core.errors import BadRequest
from prodigon_lib.core.http.hosts import TrustedHosts, parse_hosts


def scope(*hosts: str, reached: str = "127.0.0.1") -> dict[str, object]:
    headers = [(b"host", host.encode("latin-1")) for host in hosts]
    return {"type": "http", "server": (reached, 8000), "headers": headers}


def let_in(trusted: TrustedHosts, *hosts: str, reached: str = "127.0.0.1") -> bool:
    try:
        trusted.check(scope(*hosts, reached=reached))
    except BadRequest:
        return False
    return True


LOOPBACK = [
    "localhost",
    "localhost:8000",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "127.0.0.1:8000",
    "[::1]:8000",
]
STRANGE = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "0.0.0.0:8000",
    "",
    "a b",
    "localhost:x",
]
STRANGE += ["localhost@evil.example", "[::1]evil", "localhost/", "local\xf6st"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_over_loopback_a_loopback_name_is_good(host: str) -> None:
    assert let_in(TrustedHosts(), host)


@pytest.mark.parametrize("host", STRANGE)
def test_over_loopback_no_other_name_is(host: str) -> None:
    assert not let_in(TrustedHosts(), host)


def test_from_elsewhere_any_name_is_good_until_some_are_named() -> None:
    assert let_in(TrustedHosts(), "gateway:8000", reached="10.0.0.7")
    named = TrustedHosts(parse_hosts("api.example.org"))
    assert let_in(named, "api.example.org", reached="10.0.0.7")
    assert not let_in(named, "gateway:8000", reached="10.0.0.7")


def test_what_was_good_over_one_address_is_asked_again_over_another() -> None:
    trusted = TrustedHosts()
    assert let_in(trusted, "evil.example", reached="10.0.0.7")
    assert not let_in(trusted, "evil.example", reached="127.0.0.1")


def test_one_host_and_no_more_must_be_named() -> None:
    assert not let_in(TrustedHosts(("*",)))
    assert not let_in(TrustedHosts(("*",)), "localhost", "evil.example")


def test_names_below_a_name() -> None:
    trusted = TrustedHosts(parse_hosts(" *.Example.org , other.example "), loopback=False)
    assert let_in(trusted, "api.example.org")
    assert let_in(trusted, "OTHER.example:443")
    for host in ("example.org", "evilexample.org", "api.example.org.evil", "localhost"):
        assert not let_in(trusted, host)


def test_a_star_is_any() -> None:
    assert let_in(TrustedHosts(parse_hosts("*")), "evil.example")


@pytest.mark.parametrize("text", ["http://a", "a:80", "a b", "*.*", "a/"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="names or addresses"):
        parse_hosts(text)
