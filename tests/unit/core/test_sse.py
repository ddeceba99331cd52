"""Streams are read the same, however they were cut on the way."""

from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodigon_lib.core import sse
from prodigon_lib.core.errors import RateLimited, UpstreamError
from prodigon_lib.core.schemas.generate import Usage

USAGE = Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
tokens = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5)


async def pieces(*chunks: bytes) -> AsyncGenerator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(*chunks: bytes) -> list[str | Usage]:
    return [item async for item in sse.read_tokens(pieces(*chunks))]


def written(texts: list[str]) -> bytes:
    return b"".join(map(sse.token_bytes, texts)) + sse.usage_bytes(USAGE) + sse.DONE


@given(texts=tokens, cut=st.integers(0, 300), again=st.integers(0, 300))
async def test_any_cut_reads_the_same(texts: list[str], cut: int, again: int) -> None:
    whole = written(texts)
    first, second = sorted((cut % (len(whole) + 1), again % (len(whole) + 1)))
    assert await read(whole[:first], whole[first:second], whole[second:]) == [*texts, USAGE]


async def test_every_single_byte_may_come_alone() -> None:
    whole = written(["é", "\n", " data: x"])
    assert await read(*(whole[place : place + 1] for place in range(len(whole)))) == [
        "é",
        "\n",
        " data: x",
        USAGE,
    ]


async def test_lines_may_end_as_on_windows() -> None:
    assert await read(written(["a", "b"]).replace(b"\n", b"\r\n")) == ["a", "b", USAGE]


async def test_comments_and_unknown_events_are_passed_over() -> None:
    assert await read(b": keep-alive\n\nevent: news\ndata: 1\n\n" + written(["a"])) == ["a", USAGE]


async def test_an_error_event_is_raised_as_itself() -> None:
    stream = sse.read_tokens(pieces(sse.token_bytes("a") + sse.error_bytes(RateLimited("slow down"), "r-1")))
    assert await anext(stream) == "a"
    with pytest.raises(RateLimited, match="slow down"):
        await anext(stream)


@pytest.mark.parametrize("cut", [b"", sse.token_bytes("a"), b'data: "a'])
async def test_a_stream_without_its_end_is_a_fault(cut: bytes) -> None:
    with pytest.raises(UpstreamError):
        await read(cut)
