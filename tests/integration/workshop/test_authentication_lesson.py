"""The experiments of lesson 9 that serve something of their own."""

from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.forgetful import (
    CHATS_EACH,
    NAMES,
    count_through,
    loot_table,
)
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.login_load import (
    login_load,
    login_table,
    plot_logins,
)


async def test_who_counts_through_ids_reads_all_that_the_query_does_not_keep_back() -> None:
    forgetful = await count_through("SELECT id, title FROM chats WHERE id = :id")
    mindful = await count_through("SELECT id, title FROM chats WHERE id = :id AND owner = :owner")
    assert forgetful.stolen == CHATS_EACH * (len(NAMES) - 1)
    assert mindful.stolen == 0
    assert mindful.statuses[200] == CHATS_EACH
    assert set(mindful.statuses) == {200, 404}
    assert len(loot_table(mindful)) == len(NAMES)


async def test_logins_and_tokens_are_all_answered() -> None:
    load = await login_load((1, 2), seconds=0.2)
    assert not load.tokens.errors
    assert not any(run.errors for run in load.logins.values())
    assert len(login_table(load)) == 3
    assert "2 MiB" in repr(plot_logins(load, guess=10))
