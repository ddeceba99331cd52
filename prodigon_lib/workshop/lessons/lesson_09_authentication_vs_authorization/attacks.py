"""The list of attacks on access tokens, against a function, and against a gateway that runs."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.forging import (
    Issuer,
    SigningKey,
    forgeries,
    forgeries_of,
    malformed,
    misdirected,
    traversals,
)
from prodigon_lib.workshop.table import Table

OURS = Issuer("https://here.example", "here")
Verify = Callable[[str, Path], Mapping[str, Any]]


def attack(verify: Verify) -> Table:
    """What a verifier did with each kind of attack; it is given a token and the folder of public keys.

    Raises:
        ValueError: it refuses a good token, so that its refusals say nothing.
    """
    key, attackers = SigningKey("ours"), SigningKey("theirs")
    good = OURS.claims("ann", "a login")
    with TemporaryDirectory() as place:
        folder = Path(place, "keys")
        folder.mkdir()
        key.publish(folder)
        if outcome(verify, key.sign(good), folder) != "taken":
            raise ValueError("a good token is refused")
        kinds = {
            "forged": forgeries(key, attackers, good),
            "with a kid that leads out of the folder": traversals(folder, attackers, good),
            "signed by us, for another place or time": misdirected(key, OURS, "ann", "a login"),
            "malformed": malformed(key, good),
        }
        rows = [(kind, *outcomes(verify, tokens, folder)) for kind, tokens in kinds.items()]
    return Table(["tokens", "of them", "taken", "refused", "for one that was taken"], rows)


def outcomes(verify: Verify, tokens: Mapping[str, str], folder: Path) -> tuple[int, int, int, str]:
    taken = [name for name, token in tokens.items() if outcome(verify, token, folder) == "taken"]
    return len(tokens), len(taken), len(tokens) - len(taken), (taken or ["-"])[0]


def outcome(verify: Verify, token: str, folder: Path) -> str:
    """Whatever it raises refuses the token here; a service would have to make a 401 of it, and not a 500."""
    try:
        verify(token, folder)
    except Exception:
        return "refused"
    return "taken"


async def attack_gateway(url: str, token: str) -> dict[str, int]:
    """The status that each forgery of a good token gets from `GET /api/v1/auth/me`, and the token itself."""
    tokens = {"the token itself": token, **forgeries_of(token)}
    async with aiohttp.ClientSession(url) as session:

        async def status(shown: str) -> int:
            headers = {"Authorization": f"Bearer {shown}"}
            async with session.get("/api/v1/auth/me", headers=headers) as response:
                return response.status

        found = await asyncio.gather(*(status(shown) for shown in tokens.values()))
    return dict(zip(tokens, found, strict=True))
