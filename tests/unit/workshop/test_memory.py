"""What a process holds, how a slope is read, and what memray adds."""

import builtins
import sqlite3
from typing import Any

import pytest

from prodigon_lib.workshop.memory import SHARE, footprint
from prodigon_lib.workshop.memory_growth import Trend, growth_plot
from prodigon_lib.workshop.native_memory import MISSING, high_water


def test_this_process_holds_what_it_allocates() -> None:
    before = footprint()
    data = b"x" * 40_000_000
    after = footprint()
    assert 35 < after.resident - before.resident < 45
    assert 35 < after.share - before.share < 45
    assert SHARE in ("proportional", "unshared")
    assert len(data)


def test_a_slope_is_that_of_most_pairs_and_not_moved_by_one_bad_look() -> None:
    points = [(count, 80 + 0.02 * count) for count in range(0, 900, 100)]
    points[4] = (400, 140.0)
    trend = Trend(tuple(points))
    assert trend.slope == pytest.approx(20, rel=0.05)
    low, high = trend.spread
    assert low <= trend.slope <= high
    assert "20.0 MB per 1,000" in growth_plot({"leak": trend}, guess=10).words


def fill_a_database() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE kept (value BLOB)")
    connection.executemany("INSERT INTO kept VALUES (?)", ((b"x" * 1000,) for _ in range(5000)))
    connection.close()


def test_the_peak_of_a_c_library_is_seen_and_named(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("memray")
    ((where, megabytes), *_) = high_water(fill_a_database).rows
    assert "tests/unit/workshop/test_memory.py" in where
    assert "fill_a_database" in where
    assert 4 < megabytes < 12
    assert capfd.readouterr().err == ""


def test_without_memray_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    there = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "memray":
            raise ImportError(name)
        return there(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    assert high_water(lambda: None).rows == [(MISSING,)]
