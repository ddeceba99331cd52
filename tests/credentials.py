"""A plugin of detect-secrets that knows the keys and tokens which the log redactor knows."""

from collections.abc import Iterator

from detect_secrets.plugins.base import BasePlugin

from prodigon_lib.core.redaction import SHAPES

IN_URLS = {"@", "="}
"""The marks of shapes that source code builds from variables; a password in a URL has a rule of its own."""


class Credentials(BasePlugin):
    secret_type = "Key or token"

    def analyze_string(self, string: str) -> Iterator[str]:
        for marks, pattern, _ in SHAPES:
            if not IN_URLS.intersection(marks) and any(mark in string for mark in marks):
                yield from (match.group() for match in pattern.finditer(string))
