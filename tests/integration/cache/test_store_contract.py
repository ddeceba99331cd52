"""What every store of answers promises."""

import asyncio

import pytest

from prodigon_lib.cache.store import Entry, Place, Store
from tests.polling import eventually

ENTRY = Entry(b'{"text": "\x00\xff"}', 1234567890.5)
SHORT, LONG = 0.15, 60.0


async def test_what_is_kept_is_found_whole(store: Store) -> None:
    assert await store.get("key") is None
    await store.fill("key", "me", ENTRY, LONG)
    assert await store.get("key") == ENTRY
    assert await store.claim("key", "me", LONG) == ENTRY
    assert await store.get("key2") is None


async def test_what_is_kept_expires(store: Store) -> None:
    await store.fill("key", "me", ENTRY, SHORT)

    async def gone() -> bool:
        return await store.get("key") is None

    await eventually(gone)
    assert await store.claim("key", "me", LONG) is Place.LEADS


async def test_a_newer_answer_takes_the_place_of_an_older(store: Store) -> None:
    await store.fill("key", "me", ENTRY, SHORT)
    await store.fill("key", "me", Entry(b"newer", 2.0), LONG)
    assert await store.get("key") == Entry(b"newer", 2.0)


async def test_one_of_many_leads(store: Store) -> None:
    places = await asyncio.gather(*(store.claim("key", f"owner {n}", LONG) for n in range(20)))
    assert sorted(place.value for place in places if isinstance(place, Place)) == ["leads"] + ["waits"] * 19


async def test_those_who_wait_find_the_answer(store: Store) -> None:
    await store.claim("key", "leader", LONG)
    assert await store.claim("key", "other", LONG) is Place.WAITS
    await store.fill("key", "leader", ENTRY, LONG)
    assert await store.claim("key", "other", LONG) == ENTRY


async def test_a_leader_that_gives_up_lets_the_next_one_lead(store: Store) -> None:
    await store.claim("key", "leader", LONG)
    await store.release("key", "leader")
    assert await store.claim("key", "other", LONG) is Place.LEADS


async def test_a_leader_that_crashed_loses_its_lease(store: Store) -> None:
    await store.claim("key", "crashed", SHORT)

    async def leads() -> bool:
        return await store.claim("key", "next", LONG) is Place.LEADS

    await eventually(leads)
    assert not await store.renew("key", "crashed", LONG)
    assert await store.renew("key", "next", LONG)


async def test_a_lease_that_is_renewed_is_held(store: Store) -> None:
    await store.claim("key", "leader", SHORT)
    assert await store.renew("key", "leader", LONG)
    await store.claim("one as short", "leader", SHORT)

    async def ran_out() -> bool:
        return await store.claim("one as short", "other", LONG) is Place.LEADS

    await eventually(ran_out)
    assert await store.claim("key", "other", LONG) is Place.WAITS


@pytest.mark.parametrize("act", ["release", "fill"])
async def test_one_whose_lease_ran_out_takes_away_nobody_elses(act: str, store: Store) -> None:
    await store.claim("key", "next", LONG)
    if act == "release":
        await store.release("key", "late")
        assert await store.claim("key", "third", LONG) is Place.WAITS
    else:
        await store.fill("key", "late", ENTRY, SHORT)
    assert await store.renew("key", "next", LONG)


async def test_keys_have_each_their_leader(store: Store) -> None:
    assert await store.claim("one", "me", LONG) is Place.LEADS
    assert await store.claim("two", "you", LONG) is Place.LEADS
