"""`DATABASE_URL` in any common spelling, normalised once for both drivers' spelling of it."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from prodigon_lib.core.errors import SettingsError

if TYPE_CHECKING:  # who only parses one, as a stack does when it is attached to, needs no settings loaded
    from prodigon_lib.core.rotation import RotatingSecret

SCHEMES = {"postgres", "postgresql", "postgresql+asyncpg", "postgres+asyncpg"}
SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """One database. `dsn` is for asyncpg itself, `sqlalchemy` for the engine; both hold the password."""

    dsn: str
    sqlalchemy: str
    connect_args: dict[str, Any]
    name: str
    shown: str
    """Without the password, for logs and messages."""
    secret: "RotatingSecret | None" = field(default=None, compare=False)
    """The setting, where it may change while we run: who connects takes the address from it."""

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.shown!r})"


def rotating_url(secret: "RotatingSecret") -> DatabaseUrl:
    """One that may change while we run. Raises SettingsError, as below."""
    return replace(parse_database_url(secret.now), secret=secret)


def parse_database_url(value: str) -> DatabaseUrl:
    """Accepts `postgres://`, `postgresql://`, an `sslmode`, and a Unix socket as `?host=/folder`.

    Raises:
        SettingsError: it names no database, or is no Postgres URL; the password is never in the message.
    """
    parts = urlsplit(value.strip())
    if parts.scheme not in SCHEMES:
        raise SettingsError("DATABASE_URL: must begin with postgresql:// and name host and database")
    query = dict(parse_qsl(parts.query))
    name = unquote(parts.path.lstrip("/"))
    try:
        port = parts.port
    except ValueError:
        raise SettingsError("DATABASE_URL: the port is not a number between 0 and 65535") from None
    if not name or not (parts.hostname or query.get("host")):
        raise SettingsError("DATABASE_URL: must name a host (or ?host=/socket/folder) and a database")
    mode = query.pop("sslmode", None) or query.pop("ssl", None)
    if mode is not None and mode not in SSL_MODES:
        raise SettingsError(f"DATABASE_URL: sslmode must be one of {', '.join(sorted(SSL_MODES))}")
    where = f"{parts.hostname or ''}{f':{port}' if port else ''}"
    if parts.hostname and ":" in parts.hostname:
        where = f"[{parts.hostname}]{f':{port}' if port else ''}"
    login = parts.netloc.rpartition("@")[0]
    rest = urlencode(query, quote_via=quote, safe="/")
    address = f"{login + '@' if login else ''}{where}/{quote(name)}"
    tail = f"?{rest}" if rest else ""
    return DatabaseUrl(
        dsn=f"postgresql://{address}"
        + (f"{tail or '?'}{'&' if rest else ''}sslmode={mode}" if mode else tail),
        sqlalchemy=f"postgresql+asyncpg://{address}{tail}",
        connect_args={"ssl": mode} if mode else {},
        name=name,
        shown=f"postgresql://{where}/{name}{tail}",
    )
