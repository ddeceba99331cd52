"""Work timed in turns: on a clock of the test's own."""

import pytest

from prodigon_lib.workshop.turns import in_turns


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.ran: list[str] = []

    def __call__(self) -> float:
        return self.now

    async def take(self, name: str, seconds: float) -> None:
        self.now += seconds
        self.ran.append(name)


async def test_a_gain_is_the_median_of_the_rounds() -> None:
    clock, slow_seconds = Clock(), iter([9.0, 6.0, 6.0, 60.0, 6.0, 6.0])
    works = {"slow": lambda: clock.take("slow", next(slow_seconds)), "good": lambda: clock.take("good", 2.0)}
    turns = await in_turns(works, rounds=5, clock=clock)
    assert turns.seconds["slow"] == [6.0, 6.0, 60.0, 6.0, 6.0], "the first run is not timed"
    gain = turns.gain("good", over="slow")
    assert gain.value == 3.0, "one slow round does not move it"
    assert gain.low <= gain.value <= gain.high
    assert str(gain).startswith("3.00 (3.00 to ")


async def test_who_begins_moves_on() -> None:
    clock = Clock()
    works = {name: (lambda name=name: clock.take(name, 1.0)) for name in "ab"}
    await in_turns(works, rounds=3, clock=clock)
    assert clock.ran == [*"ab", *"ab", *"ba", *"ab"]


async def test_two_rounds_have_no_spread() -> None:
    with pytest.raises(ValueError, match="three rounds"):
        await in_turns({}, rounds=2)
