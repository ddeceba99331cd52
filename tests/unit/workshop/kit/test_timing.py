"""Ratios are taken from interleaved runs, and a noisy machine is told apart from a slow answer."""

from collections.abc import Callable

import pytest

from prodigon_lib.workshop.checks.timing import (
    Noisy,
    growth,
    interleaved_ratio,
    interleaved_ratio_async,
)


class Machine:
    """A clock that work moves forward; `drift` makes each second longer than the one before."""

    def __init__(self, drift: float = 1.0) -> None:
        self.now, self.speed, self.drift = 0.0, 1.0, drift
        self.runs: list[str] = []

    def clock(self) -> float:
        return self.now

    def work(self, name: str, seconds: float) -> Callable[[], None]:
        def run() -> None:
            self.runs.append(name)
            self.now += seconds * self.speed
            self.speed *= self.drift

        return run


def test_a_ratio_is_the_reference_over_the_candidate() -> None:
    machine = Machine()
    ratio = interleaved_ratio(machine.work("c", 1), machine.work("r", 4), clock=machine.clock)
    assert ratio.value == pytest.approx(4)
    assert ratio.noise == pytest.approx(0)
    assert ratio.rounds == 7


def test_a_machine_that_slows_down_slows_both_sides() -> None:
    machine = Machine(drift=1.02)
    ratio = interleaved_ratio(machine.work("c", 1), machine.work("r", 4), clock=machine.clock)
    assert ratio.value == pytest.approx(4, rel=0.05)


def test_runs_take_turns() -> None:
    machine = Machine()
    interleaved_ratio(machine.work("c", 1), machine.work("r", 1), clock=machine.clock)
    measured = machine.runs[2:]
    assert [sorted(measured[place : place + 3]) for place in range(0, 21, 3)] == [["c", "r", "r"]] * 7
    assert measured[:6] == ["r", "c", "r", "c", "r", "r"]


def noisy_machine() -> tuple[Machine, Callable[[], None]]:
    """Each other run of the same code takes half as long again."""
    machine, calls = Machine(), 0

    def reference() -> None:
        nonlocal calls
        calls += 1
        machine.now += 1.0 if calls % 2 else 1.5

    return machine, reference


def test_a_noisy_machine_is_said_and_not_judged() -> None:
    machine, reference = noisy_machine()
    with pytest.raises(Noisy, match="differed by 50%") as caught:
        interleaved_ratio(machine.work("c", 9), reference, clock=machine.clock)
    assert caught.value.noise == pytest.approx(0.5)


async def test_coroutines_are_measured_alike() -> None:
    machine = Machine()
    candidate, reference = machine.work("c", 1), machine.work("r", 3)

    async def one() -> None:
        candidate()

    async def other() -> None:
        reference()

    ratio = await interleaved_ratio_async(one, other, clock=machine.clock)
    assert ratio.value == pytest.approx(3)


async def test_a_noisy_machine_is_said_of_coroutines_too() -> None:
    machine, reference = noisy_machine()
    candidate = machine.work("c", 9)

    async def one() -> None:
        candidate()

    async def other() -> None:
        reference()

    with pytest.raises(Noisy):
        await interleaved_ratio_async(one, other, clock=machine.clock)


def test_seven_rounds_are_the_least() -> None:
    with pytest.raises(ValueError, match="7 rounds or more"):
        interleaved_ratio(lambda: None, lambda: None, rounds=6)


@pytest.mark.parametrize("power", [0, 1, 2])
def test_growth_is_the_exponent(power: int) -> None:
    sizes = [10, 20, 40, 80]
    assert growth(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


def test_growth_needs_points() -> None:
    with pytest.raises(ValueError, match="three or more"):
        growth([1, 2], [1, 2])
