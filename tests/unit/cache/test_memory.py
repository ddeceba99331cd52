"""The bounds of the store in memory; what all stores do is in the contract."""

from prodigon_lib.cache.memory import OVERHEAD, MemoryStore
from prodigon_lib.cache.store import Entry


async def fill(store: MemoryStore, *keys: str, size: int = 100) -> None:
    for key in keys:
        await store.fill(key, "", Entry(b"x" * size, 0), 60)


async def kept(store: MemoryStore, keys: str) -> str:
    return "".join([key for key in keys if await store.get(key) is not None])


async def test_what_was_not_asked_for_longest_makes_room() -> None:
    store = MemoryStore(entries=3, bytes=1_000_000)
    await fill(store, "a", "b", "c")
    await store.get("a")
    await fill(store, "d")
    assert await kept(store, "abcd") == "acd"
    assert (len(store), store.evicted) == (3, 1)


async def test_bytes_are_a_bound_too() -> None:
    size = 100 + OVERHEAD
    store = MemoryStore(entries=100, bytes=3 * size)
    await fill(store, *"abcdef")
    assert await kept(store, "abcdef") == "def"
    assert store.used == 3 * size


async def test_what_is_written_again_counts_once() -> None:
    store = MemoryStore(entries=100, bytes=1_000_000)
    await fill(store, "a")
    await fill(store, "a", size=10)
    assert (len(store), store.used) == (1, 10 + OVERHEAD)


async def test_one_that_is_larger_than_all_is_not_kept_and_throws_nothing_out() -> None:
    store = MemoryStore(entries=100, bytes=2000)
    await fill(store, "a")
    await fill(store, "b", size=3000)
    assert await kept(store, "ab") == "a"


async def test_what_has_expired_takes_up_nothing() -> None:
    now = 0.0
    store = MemoryStore(entries=100, bytes=1_000_000, clock=lambda: now)
    await fill(store, "a")
    now = 61.0
    assert await store.get("a") is None
    assert (len(store), store.used) == (0, 0)
