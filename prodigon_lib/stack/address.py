"""Which database a stack uses."""

from urllib.parse import quote, urlsplit, urlunsplit

from prodigon_lib.persistence.url import parse_database_url

EMBEDDED_NAME = "prodigon"


def stack_url(url: str, stack: str) -> str:
    """The database of one stack on a server of the user's: the named one, or for other stacks one beside it.

    Raises:
        SettingsError: it is no Postgres URL.
    """
    named = parse_database_url(url)
    if stack == "default":
        return named.dsn
    return urlunsplit(urlsplit(named.dsn)._replace(path=f"/{quote(f'{named.name}_{stack}')}"))
