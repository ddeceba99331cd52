"""What lesson 1 measures with: the twin, its relay, and contracts as data."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.contracts import (
    V1,
    BadProto,
    Contract,
    changed_meanings,
    moved,
    unguarded,
)
from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.measures import (
    CLIENTS,
    STREAMED,
    WAYS,
    Twin,
    price,
    under_load,
    weights,
)
from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.relay import relaying


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    with Twin() as running:
        yield running
    assert not psutil.pid_exists(running.process.pid)


async def test_the_price_of_a_call_is_told_in_parts(twin: Twin) -> None:
    found = await price(twin, rounds=3)
    assert set(found) == {"chat text", "embedding"}
    for by_way in found.values():
        assert tuple(by_way) == WAYS
        assert all(min(parts.encode, parts.wire, parts.handler) > 0 for parts in by_way.values())
        assert by_way["REST, kept open"].connect < by_way["REST, client per call"].connect


async def test_bytes_are_counted_on_the_wire(twin: Twin) -> None:
    found = await weights(twin)
    assert found["embedding"]["gRPC"] > 1536 * 4  # its values alone
    assert found["embedding"]["REST"] > 3 * found["embedding"]["gRPC"]
    assert min(found[STREAMED].values()) > 120 * 3


async def test_each_client_is_loaded_at_each_level(twin: Twin) -> None:
    loads = await under_load(twin, (1, 4), seconds=0.2)
    assert [(each.client, each.in_flight) for each in loads] == [(c, n) for n in (1, 4) for c in CLIENTS]
    assert all(each.throughput > 0 and not each.failed for each in loads)
    assert {each.client: each.connections for each in loads[3:]}["gRPC"] == 1


async def test_the_relay_counts_both_ways_and_leaves_nothing_behind() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(2 * await reader.read(100))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    before = len(asyncio.all_tasks())
    async with server, relaying(server.sockets[0].getsockname()[1]) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(b"12345")
        assert await reader.read() == b"1234512345"
        assert (relay.sent, relay.received, relay.total) == (5, 10, 15)
        writer.close()
    assert len(asyncio.all_tasks()) == before


def changed(folder: Path, old: str, new: str) -> Contract:
    text = V1.read_text()
    assert old in text
    path = folder / "changed.proto"
    path.write_text(text.replace(old, new))
    return Contract.compile(path)


def test_a_contract_agrees_with_itself() -> None:
    v1 = Contract.compile(V1)
    assert (changed_meanings(v1, v1), moved(v1, v1), unguarded(v1, v1)) == ([], [], [])


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("optional int32 max_tokens = 4", "optional string max_tokens = 4", "changed_meanings"),
        ("string token = 2", "string word = 2", "changed_meanings"),
        ("optional int32 max_tokens = 4", "optional int32 max_tokens = 9", "moved"),
        ("  optional int32 max_tokens = 4;\n", "", "unguarded"),
        ("  optional int32 max_tokens = 4;\n", "  reserved 4;\n", "unguarded"),
        ("  optional int32 max_tokens = 4;\n", '  reserved "max_tokens";\n', "unguarded"),
        ("message ListModelsRequest {}", "message ListRequest {}", "unguarded"),
    ],
)
def test_what_breaks_old_programs_is_found(old: str, new: str, found: str, tmp_path: Path) -> None:
    if "ListModelsRequest" in old:
        text = V1.read_text().replace("ListModelsRequest", "ListRequest")
        (tmp_path / "changed.proto").write_text(text)
        other = Contract.compile(tmp_path / "changed.proto")
    else:
        other = changed(tmp_path, old, new)
    judge = {"changed_meanings": changed_meanings, "moved": moved, "unguarded": unguarded}[found]
    assert judge(Contract.compile(V1), other)


def test_what_the_compiler_refuses_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bad.proto"
    path.write_text('syntax = "proto3"; message M { string a = 1; string b = 1; }')
    with pytest.raises(BadProto, match=r"bad\.proto"):
        Contract.compile(path)
