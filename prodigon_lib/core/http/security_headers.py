"""Headers that tell a browser what not to do with an answer. They are the same for every caller.

`Strict-Transport-Security` is said where TLS ends: here when this server speaks it by itself, else by the
proxy. Over plain HTTP browsers ignore it.
"""

import re
from base64 import b64encode
from hashlib import sha256

from starlette.types import Scope

from prodigon_lib.core.http.admission import RawHeaders

DOCS_PATH = "/docs"
CREDENTIAL_PATHS = ("/api/v1/auth", "/api/v1/keys")
"""Their answers carry passwords' worth: nobody on the way, and no browser, may keep one."""

POLICY = b"content-security-policy"
STORE = (b"cache-control", b"no-store")
TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
OPEN: RawHeaders = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
CLOSED: RawHeaders = (*OPEN, (POLICY, b"default-src 'none'; frame-ancestors 'none'"))
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def security_headers(scope: Scope, said: RawHeaders) -> RawHeaders:
    """What to add to an answer that says `said` already.

    An answer of ours is data: opened as a page, it loads nothing and stands in no frame. The one page says by
    itself what it needs.
    """
    path: str = scope["path"]
    headers = CLOSED
    if path == DOCS_PATH and any(name == POLICY for name, _ in said):
        headers = OPEN
    elif path.startswith(CREDENTIAL_PATHS):
        headers = (*CLOSED, STORE)
    return (*headers, TRANSPORT) if scope.get("scheme") == "https" else headers


def page_policy(page: bytes) -> str:
    """The policy of a page that shows an API: its own files, the scripts written into it, nothing else."""
    scripts = " ".join(
        f"'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in INLINE_SCRIPT.findall(page)
    )
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
