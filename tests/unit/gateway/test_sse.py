"""Tokens out of bytes: in whatever pieces they come, and however they end."""

import pytest

from prodigon_lib.core import sse
from prodigon_lib.core.errors import RateLimited, UpstreamError
from prodigon_lib.core.schemas.generate import Usage

USAGE = Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
WHOLE = sse.token_bytes("Ünï\n") + sse.token_bytes('"') + sse.usage_bytes(USAGE) + sse.DONE


def read(*chunks: bytes) -> list[str | Usage]:
    reader = sse.TokenReader()
    items = [item for chunk in chunks for item in reader.feed(chunk)]
    reader.finish()
    return items


@pytest.mark.parametrize("size", [1, 2, 7, len(WHOLE)])
def test_pieces_of_any_size(size: int) -> None:
    pieces = [WHOLE[start : start + size] for start in range(0, len(WHOLE), size)]
    assert read(*pieces) == ["Ünï\n", '"', USAGE]


def test_other_line_ends_and_unknown_events() -> None:
    stream = b': a comment\r\n\r\nevent: later\r\ndata: {}\r\n\r\ndata: "one"\r\n\r\ndata: [DONE]\r\n\r\n'
    assert read(stream) == ["one"]


def test_a_stream_without_its_end() -> None:
    with pytest.raises(UpstreamError, match="before it was complete"):
        read(WHOLE.removesuffix(sse.DONE))


def test_a_stream_cut_inside_an_event() -> None:
    with pytest.raises(UpstreamError, match="cut"):
        read(b'data: "hal\n\n')


def test_an_error_event_is_raised() -> None:
    with pytest.raises(RateLimited, match="slow down") as caught:
        read(sse.token_bytes("one") + sse.error_bytes(RateLimited("slow down"), "id"))
    assert caught.value.request_id == "id"


async def test_a_reader_takes_what_follows_the_end() -> None:
    """So that the connection below goes back to its pool."""
    ends: list[str] = []

    async def chunks():
        yield WHOLE
        yield b": the rest\n\n"
        ends.append("read to the end")

    assert [item async for item in sse.read_tokens(chunks())][-1] == USAGE
    assert ends == ["read to the end"]
