"""What lesson 9 measures with: prices of guesses, work of Argon2, and tokens as attackers make them."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type, hash_secret_raw

from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.argon_work import argon_work
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.attacks import (
    attack,
    library_verify,
)
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.guesses import (
    YEAR,
    Price,
    in_words,
    plot_prices,
    prices,
    prices_table,
)
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.matrix import (
    ENDPOINTS,
    OWNERS,
    ROLES,
    wanted_cells,
)
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.matrix_plot import plot_matrix
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.people import PEOPLE, cells

SMALL = PasswordHasher(1, 64, 1)


def checked_wrong() -> None:
    with pytest.raises(VerifyMismatchError):
        SMALL.verify(PasswordHasher(3, 128, 1).hash("right"), "wrong")


@pytest.mark.parametrize(
    ("act", "work"),
    [
        (lambda: SMALL.hash("a"), [64]),
        (lambda: SMALL.verify(SMALL.hash("a"), "a"), [64, 64]),
        (checked_wrong, [384, 384]),
        (lambda: hash_secret_raw(b"a", b"salt" * 4, 2, 32, 1, 16, Type.ID), [64]),
        (lambda: sha256(b"a"), []),
    ],
    ids=["hash", "verify", "another's parameters", "raw", "no Argon2"],
)
def test_the_work_of_argon2_is_counted_whoever_asks_for_it(
    act: Callable[[], object], work: list[int]
) -> None:
    with argon_work() as counted:
        act()
    SMALL.hash("after the block")
    assert counted.take() == work
    assert counted.take() == []


def test_argon2_is_dearer_than_sha256_and_both_are_drawn() -> None:
    found = prices(PasswordHasher(1, 1024, 1), seconds=0.03)
    assert [each.way for each in found] == ["SHA-256", "Argon2id"]
    assert found[0].rate > 10 * found[1].rate
    assert len(prices_table(found)) == 2
    assert "Argon2id" in repr(plot_prices(found, cores=1000, guess=YEAR))


def test_a_list_lasts_half_of_its_guesses() -> None:
    price = Price("some hash", seconds=0.5)
    assert price.lasts(1000) == 250
    assert price.lasts(1000, cores=10) == 25


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.5, "0.5 seconds"),
        (119, "1.2e+02 seconds"),
        (180, "3 minutes"),
        (3 * 86400, "3 days"),
        (5 * YEAR, "5 years"),
    ],
)
def test_seconds_are_said_in_the_largest_unit_that_fits(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


async def test_a_verifier_that_takes_all_is_found_out_and_one_that_takes_none() -> None:
    assert all(row[1] == row[2] for row in (await attack(lambda token, folder: {})).rows)

    def refuse(*_: object) -> dict[str, object]:
        raise PermissionError

    with pytest.raises(ValueError, match="good token"):
        await attack(refuse)


async def test_the_librarys_verifier_refuses_each_of_them_and_breaks_at_none() -> None:
    assert [row[1] - row[3] for row in (await attack(library_verify)).rows] == [0, 0, 0, 0]


def test_the_matrix_has_every_person_at_every_chat() -> None:
    by_owner = [cell for cell in cells({name: f"{name}'s id" for name in PEOPLE}) if cell.kind == "by owner"]
    assert len(by_owner) == len(PEOPLE) * (2 * len(PEOPLE) - 1)
    assert {cell.wanted for cell in by_owner} == {200, 404}


@pytest.mark.parametrize(
    ("role", "column", "status"),
    [
        ("nobody", "health", 200),
        ("nobody", "read chat, no such", 401),
        ("learner", "read chat, own", 200),
        ("learner", "metrics", 403),
        ("learner", "list accounts", 403),
        ("teacher", "list accounts", 200),
        ("teacher", "metrics", 403),
        ("teacher", "delete chat, another's", 404),
        ("operator", "read chat, another's", 404),
        ("operator", "read job, no such", 404),
        ("operator", "metrics", 200),
    ],
)
def test_the_gateways_matrix_follows_its_table_of_rules(role: str, column: str, status: int) -> None:
    (cell,) = [cell for cell in wanted_cells() if (cell.role, cell.column) == (role, column)]
    assert cell.wanted == status


def test_the_gateways_matrix_is_whole_and_shows_what_differs() -> None:
    owned = [endpoint for endpoint in ENDPOINTS if endpoint.made_by]
    asked = [replace(cell, status=cell.wanted) for cell in wanted_cells()]
    assert len(asked) == len(ROLES) * (len(ENDPOINTS) + len(owned) * (len(OWNERS) - 1))
    asked[0] = replace(asked[0], status=500)
    assert "1 other than the rules" in repr(plot_matrix(asked))
    assert "not 200" in plot_matrix(asked).svg
