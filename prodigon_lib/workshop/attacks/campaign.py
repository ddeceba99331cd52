"""All attacks, one after the other."""

from collections.abc import Mapping, Sequence

from prodigon_lib.workshop.attacks import consumption, identities, objects, surroundings
from prodigon_lib.workshop.attacks.attack import Attack, NotReady, Outcome
from prodigon_lib.workshop.attacks.raider import Raider
from prodigon_lib.workshop.attacks.scoreboard import Scoreboard

ATTACKS: tuple[Attack, ...] = (
    *objects.ATTACKS,
    *identities.ATTACKS,
    *surroundings.ATTACKS,
    *consumption.ATTACKS,  # last: after a flood nobody may be let in
)


async def raid(
    url: str,
    *,
    users: Mapping[str, str] | None = None,
    doors: Mapping[str, str] | None = None,
    attacks: Sequence[Attack] = ATTACKS,
    name: str = "this stack",
) -> Scoreboard:
    """Try each attack on a gateway of this machine.

    Args:
        users: the Authorization headers of a `victim` and an `attacker`; none in a stack without accounts.
        doors: the URLs of the `model` and the `worker` behind it.
        name: of the stack, for the scoreboard.

    Raises:
        ValueError: a URL is not of this machine.
    """
    async with Raider(url, users or {}, doors or {}) as raider:
        return Scoreboard({name: [await tried(each, raider) for each in attacks]})


async def tried(attack: Attack, raider: Raider) -> Outcome:
    raider.exchanges = []
    try:
        through: bool | None = await attack.act(raider)
    except NotReady as reason:
        return Outcome(attack, None, tuple(raider.exchanges), str(reason))
    return Outcome(attack, through, tuple(raider.exchanges))
