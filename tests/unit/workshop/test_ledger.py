"""Who lived when."""

import pytest

from prodigon_lib.workshop.lessons.lesson_04_dependency_injection.ledger import Ledger


def test_lives_are_counted_and_kept_in_their_order() -> None:
    ledger = Ledger()
    with ledger.life("pool"):
        for _ in range(2):
            with ledger.life("transaction"):
                ledger.mark("told")
        assert ledger.closed == {"transaction": 2}
    assert ledger.built == ledger.closed == {"pool": 1, "transaction": 2}
    assert ledger.events[:4] == ["pool built", "transaction built", "told", "transaction closed"]
    assert ledger.events[-1] == "pool closed"


def test_a_life_ends_with_an_error_too() -> None:
    ledger = Ledger()
    with pytest.raises(LookupError), ledger.life("transaction"):
        raise LookupError
    assert ledger.closed == {"transaction": 1}


def test_the_picture_shows_who_still_lives() -> None:
    ledger = Ledger()
    with ledger.life("pool"):
        picture = ledger.picture("Now")
    assert picture.words == "Now: pool 1 times; pool built"
