"""A lease is this process's connection, and no child's that it forks."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodigon_lib.stack.channel import Channel, NobodyListens
from prodigon_lib.stack.lease import LEASES


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(tmp_path / "s"))
        opened.listen()
        opened.settimeout(10)
        yield opened


def test_a_forked_child_keeps_no_lease(listener: socket.socket, tmp_path: Path) -> None:
    LEASES.keep(tmp_path, Channel(tmp_path / "s"))
    connection, _ = listener.accept()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)  # lives until the test has looked
        os._exit(0)
    LEASES.drop(tmp_path)
    connection.settimeout(5)
    try:
        assert connection.recv(1) == b""
    finally:
        for descriptor in (reader, writer):
            os.close(descriptor)
        os.waitpid(child, 0)
        connection.close()


def test_a_fork_leaves_the_parents_lease_open(listener: socket.socket, tmp_path: Path) -> None:
    LEASES.keep(tmp_path, Channel(tmp_path / "s"))
    connection, _ = listener.accept()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    connection.setblocking(False)
    with connection, pytest.raises(BlockingIOError):
        connection.recv(1)
    LEASES.drop(tmp_path)


def test_a_newer_lease_takes_the_place_of_the_older(listener: socket.socket, tmp_path: Path) -> None:
    LEASES.keep(tmp_path, Channel(tmp_path / "s"))
    first, _ = listener.accept()
    LEASES.keep(tmp_path, Channel(tmp_path / "s"))
    second, _ = listener.accept()
    with first, second:
        assert first.recv(1) == b""
        second.setblocking(False)
        with pytest.raises(BlockingIOError):
            second.recv(1)
        LEASES.drop(tmp_path)


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(NobodyListens):
        Channel(tmp_path / "none")
