"""What one guess at a password costs the thief of a list of hashes, and how long a list lasts."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count

from argon2 import PasswordHasher

from prodigon_lib.workshop.look import BLUE, FAINT, INK, ORANGE
from prodigon_lib.workshop.picture import Picture, Plot
from prodigon_lib.workshop.table import Table

YEAR = 365.25 * 24 * 3600
SALT = os.urandom(16)
KINDS = {
    "of the 10 million that leaked most": 10**7,
    "8 small letters": 26**8,
    "8 of all signs": 94**8,
    "4 words of a list of 7,776": 7776**4,
}
"""How many passwords of that kind there are."""
GUESSED = "8 small letters"
MARKS = {
    "a second": 1.0,
    "a day": 86400.0,
    "a year": YEAR,
    "a lifetime": 80 * YEAR,
    "a million years": 1e6 * YEAR,
}


@dataclass(frozen=True)
class Price:
    """Of one guess: `seconds` on one core. `way` is how the hashes were made."""

    way: str
    seconds: float

    @property
    def rate(self) -> float:
        """Guesses per second and core."""
        return 1 / self.seconds

    def lasts(self, passwords: int, *, cores: int = 1) -> float:
        """Seconds until half of so many passwords were tried: the mean for one of them."""
        return passwords / 2 * self.seconds / cores


def ways(hasher: PasswordHasher) -> dict[str, Callable[[bytes], object]]:
    """Each makes a hash of one guess; Argon2id with the parameters of `hasher`."""
    return {
        "SHA-256": lambda guess: sha256(SALT + guess).digest(),
        "Argon2id": lambda guess: hasher.hash(guess, salt=SALT),
    }


def price(way: str, hashed: Callable[[bytes], object], *, seconds: float = 0.5) -> Price:
    """Guess for so many seconds of processor time, all threads together, three times; the quickest counts.

    The quickest, since what disturbs a run makes it slower, and a thief has quiet machines.
    """
    return Price(way, min(spent_each(hashed, seconds / 3) for _ in range(3)))


def spent_each(hashed: Callable[[bytes], object], seconds: float) -> float:
    began = time.process_time()
    for number in count(1):
        hashed(b"guess %d" % number)
        if number & (number - 1) == 0 or number % 256 == 0:  # the clock costs as much as a quick hash
            spent = time.process_time() - began
            if spent >= seconds:
                return spent / number
    raise AssertionError("count ends never")


def prices(hasher: PasswordHasher, *, seconds: float = 0.5) -> list[Price]:
    """One for each of the `ways`, dearest last."""
    found = [price(way, hashed, seconds=seconds) for way, hashed in ways(hasher).items()]
    return sorted(found, key=lambda each: each.seconds)


def prices_table(found: Sequence[Price], *, cores: int = 1) -> Table:
    """Guesses per second and core, and how long a password of each kind lasts with so many cores."""
    rows = [
        (each.way, each.rate, *(in_words(each.lasts(number, cores=cores)) for number in KINDS.values()))
        for each in found
    ]
    return Table(["hash", "guesses per second and core", *KINDS], rows)


def plot_prices(found: Sequence[Price], *, cores: int = 1, guess: float | None = None) -> Picture:
    """How long a password of each kind lasts against `cores` cores; `guess` is in seconds, for `GUESSED`."""
    plot = Plot(height=3.6)
    (axes,) = plot.axes
    places = range(len(KINDS))
    for each, colour, marker in zip(found, (ORANGE, BLUE), "os", strict=False):
        lasts = [each.lasts(number, cores=cores) for number in KINDS.values()]
        axes.plot(lasts, places, color=colour, marker=marker, linestyle="none", markersize=8, label=each.way)
    if guess is not None:
        row = list(KINDS).index(GUESSED)
        axes.plot([guess], [row], color=INK, marker="x", linestyle="none", markersize=8, label="your guess")
    for name, seconds in MARKS.items():
        axes.axvline(seconds, color=FAINT, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.text(seconds, len(KINDS) - 0.45, name, fontsize=8.5, color=FAINT, ha="center")
    axes.set(xscale="log", xlabel=f"seconds until found, on {cores} core{'s' if cores > 1 else ''}")
    axes.set_yticks(list(places), list(KINDS))
    axes.set_ylim(-0.5, len(KINDS) - 0.1)
    axes.legend(loc="lower right")
    plot.title("What a stolen list of hashes is worth\n")
    words = "; ".join(f"{each.way}: {each.rate:,.0f} guesses a second" for each in found)
    return plot.finish(f"How long passwords last by how they are hashed. {words}")


def in_words(seconds: float) -> str:
    """The largest unit that has two of it."""
    for unit, length in (("years", YEAR), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:.2g} seconds"
