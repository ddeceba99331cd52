"""Which database a stack uses, and where its processes find it and Redis when a proxy stands before."""

from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from prodigon_lib.core.errors import StackError
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.stack.edges.plan import Address, EdgePlan
from prodigon_lib.stack.redis import SOCKET

EMBEDDED_NAME = "prodigon"
PORT = 5432
REDIS_PORT = 6379


def stack_url(url: str, stack: str) -> str:
    """The database of one stack on a server of the user's: the named one, or for other stacks one beside it.

    Raises:
        SettingsError: it is no Postgres URL.
    """
    named = parse_database_url(url)
    if stack == "default":
        return named.dsn
    return urlunsplit(urlsplit(named.dsn)._replace(path=f"/{quote(f'{named.name}_{stack}')}"))


def database_address(url: str) -> Address:
    """Where the server of a database listens."""
    parts = urlsplit(parse_database_url(url).dsn)
    query = dict(parse_qsl(parts.query))
    host, port = parts.hostname or query["host"], parts.port or int(query.get("port", PORT))
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)


def through_proxy(url: str, source: str, edges: EdgePlan) -> str:
    """The same database, as `source` reaches it through an edge of its own.

    Raises:
        StackError: the certificate of the server is checked against its host, which a proxy stands before.
    """
    found = parse_database_url(url)
    if found.connect_args.get("ssl") == "verify-full":
        raise StackError("DATABASE_URL: sslmode=verify-full does not go with faults=True; use verify-ca")
    listen = edges.add(source, "postgres", database_address(url), name=f".s.PGSQL.{PORT}")
    parts = urlsplit(found.dsn)
    query = {key: value for key, value in parse_qsl(parts.query) if key not in ("host", "port")}
    login = parts.netloc.rpartition("@")[0]
    place = "" if isinstance(listen, str) else f"{listen[0]}:{listen[1]}"
    if isinstance(listen, str):
        query["host"] = listen.rpartition("/")[0]
    netloc = f"{login}@{place}" if login else place
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(query, quote_via=quote, safe="/")))


def redis_through_proxy(url: str, source: str, edges: EdgePlan) -> str:
    """The same Redis, as `source` reaches it through an edge of its own.

    Raises:
        StackError: its certificate is checked against its host, which a proxy stands before.
    """
    parts = urlsplit(url)
    if parts.scheme == "rediss":
        raise StackError("REDIS_URL: rediss:// does not go with faults=True; use redis:// for as long")
    there: Address = (parts.hostname or "localhost", parts.port or REDIS_PORT)
    if parts.scheme == "unix":
        there = unquote(parts.path)
    listen = edges.add(source, "redis", there, name=SOCKET)
    login, at, _ = parts.netloc.rpartition("@")
    local = isinstance(listen, str)
    place = "" if local else f"{listen[0]}:{listen[1]}"
    path = quote(str(listen)) if local else parts.path
    return f"{parts.scheme}://{login}{at}{place}{path}{'?' if parts.query else ''}{parts.query}"


def redis_prefix(prefix: str, stack: str) -> str:
    """What begins the keys of one stack on a server of the user's, as `stack_url` has a database each."""
    return prefix if stack == "default" else f"{prefix}_{stack}"
