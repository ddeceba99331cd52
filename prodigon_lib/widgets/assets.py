"""The built files, and the large ones among them, which a page asks for when it first needs them."""

from functools import cache
from pathlib import Path

from prodigon_lib.core.errors import NotFound
from prodigon_lib.widgets.wire import Attached

STATIC = Path(__file__).with_name("static")
ON_DEMAND = ("markdown.js", "katex.js", "mermaid.js")


@cache
def asset(name: str) -> bytes:
    """One of `ON_DEMAND`. Raises: NotFound: it is none of them."""
    if name not in ON_DEMAND:
        raise NotFound(f"there is no asset {name!r}")
    return (STATIC / name).read_bytes()


async def send_asset(name: str) -> Attached:
    """What a page asks for one: its bytes travel beside the answer, and no notebook stores them."""
    return Attached(name, [asset(name)])
