"""The list of attacks on access tokens, against any function that verifies them."""

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from uuid import uuid4

from joserfc.jwk import OKPKey

from prodigon_lib.core.errors import Unauthenticated
from prodigon_lib.security.signing_keys import SigningKey as LibrarysKey
from prodigon_lib.security.tokens import AUDIENCE, ISSUER, AccessTokens, Claims
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.forging import (
    Issuer,
    SigningKey,
    forgeries,
    malformed,
    misdirected,
    traversals,
)
from prodigon_lib.workshop.table import Table

OURS = Issuer(ISSUER, AUDIENCE)
TAKEN, REFUSED, BROKEN = "taken", "refused", "another error"
Verify = Callable[[str, Path], Any]


async def attack(verify: Verify) -> Table:
    """What a verifier did with each kind of attack; it is given a token and the folder of public keys.

    Raises:
        ValueError: it refuses a good token, so that its refusals say nothing.
    """
    key, attackers = SigningKey("ours"), SigningKey("theirs")
    user, login = str(uuid4()), str(uuid4())
    good = OURS.claims(user, login)
    with TemporaryDirectory() as place:
        folder = folder_of(key, Path(place))
        if await outcome(verify, key.sign(good), folder) != TAKEN:
            raise ValueError("a good token is refused")
        kinds = {
            "forged": forgeries(key, attackers, good),
            "with a kid that leads out of the folder": traversals(folder, attackers, good),
            "signed by us, for another place or time": misdirected(key, OURS, user, login),
            "malformed": malformed(key, good),
        }
        rows = [(kind, *await outcomes(verify, tokens, folder)) for kind, tokens in kinds.items()]
    return Table(["tokens", "of them", TAKEN, REFUSED, BROKEN, "for one that was taken"], rows)


def folder_of(key: SigningKey, place: Path) -> Path:
    """A new folder in `place` with that one key."""
    folder = place / "keys"
    folder.mkdir()
    key.publish(folder)
    return folder


async def outcomes(verify: Verify, tokens: Mapping[str, str], folder: Path) -> tuple[int, int, int, int, str]:
    found = {name: await outcome(verify, token, folder) for name, token in tokens.items()}
    counts = Counter(found.values())
    taken = [name for name, said in found.items() if said == TAKEN]
    return len(tokens), counts[TAKEN], counts[REFUSED], counts[BROKEN], (taken or ["-"])[0]


async def outcome(verify: Verify, token: str, folder: Path) -> str:
    """A verifier says no with `Unauthenticated`; any other error would be a 500 of the service."""
    try:
        said = verify(token, folder)
        if inspect.isawaitable(said):
            await said
    except Unauthenticated:
        return REFUSED
    except Exception:
        return BROKEN
    return TAKEN


class FolderKeys:
    """Public keys as `AccessTokens` asks for them, from a folder."""

    def __init__(self, folder: Path) -> None:
        self._keys = {path.stem: path for path in folder.glob("*.pem")}

    async def verifying(self, kid: str) -> LibrarysKey | None:
        path = self._keys.get(kid)
        return None if path is None else LibrarysKey(kid, 0.0, OKPKey.import_key(path.read_bytes()))


async def library_verify(token: str, folder: Path) -> Claims:
    """The gateway's own way to read a token. Raises Unauthenticated."""
    return await AccessTokens(cast(Any, FolderKeys(folder))).read(token)
