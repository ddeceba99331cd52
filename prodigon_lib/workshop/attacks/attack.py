"""What an attack is, and what became of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from prodigon_lib.workshop.attacks.raider import Exchange, Raider
from prodigon_lib.workshop.attacks.risks import Risk

Act = Callable[[Raider], Awaitable[bool]]


class NotReady(Exception):
    """What an attack needs could not be laid out: nothing was tried."""


@dataclass(frozen=True)
class Attack:
    """One attack.

    Args:
        through: what it means that it got through.
        act: does it, and says whether it did.
    """

    name: str
    risk: Risk
    through: str
    act: Act


def attack(risk: Risk, name: str) -> Callable[[Act], Attack]:
    """Makes an attack of a coroutine function, whose docstring says what it means that it got through."""

    def make(act: Act) -> Attack:
        return Attack(name, risk, (act.__doc__ or "").strip(), act)

    return make


@dataclass(frozen=True)
class Outcome:
    """`through` is `None` when nothing was tried; `why` says why then."""

    attack: Attack
    through: bool | None
    exchanges: tuple[Exchange, ...]
    why: str = ""

    @property
    def transcript(self) -> str:
        """What was sent and answered, shortened, and without credentials."""
        lines = [f"{each.request}\n    {each.answer}" for each in self.exchanges]
        return "\n".join([f"{self.attack.name}: {self.verdict}", self.attack.through, *lines])

    @property
    def verdict(self) -> str:
        if self.through is None:
            return f"not tried, {self.why}"
        return "got through" if self.through else "held off"
