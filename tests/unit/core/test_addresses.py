"""Where a secret may be sent."""

import pytest

from prodigon_lib.core.http.addresses import is_safe


@pytest.mark.parametrize(
    "url", ["https://id.example.org", "http://127.0.0.1:9400/x", "http://localhost", "http://[::1]:1"]
)
def test_over_tls_or_on_this_machine(url: str) -> None:
    assert is_safe(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.org",
        "http://127.0.0.1.example.org",
        "ftp://localhost",
        "file:///etc/passwd",
        "https://",
        "",
        None,
    ],
)
def test_nowhere_else(url: object) -> None:
    assert not is_safe(url)
