"""Addresses that a secret may be sent to."""

from urllib.parse import urlsplit

LOCAL = ("127.0.0.1", "localhost", "::1")


def is_safe(url: object) -> bool:
    """Over TLS, or on this machine, where a learner's provider runs."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)
    )
