"""Contracts as data: a `.proto` compiled to descriptors, and what two of them disagree on.

Messages are made from descriptors alone, each contract in a pool of its own, so that an old and a new
revision can stand side by side under the same name.
"""

import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from prodigon_lib.core.locations import PACKAGE

V1 = PACKAGE / "transport" / "protos" / "model_v1.proto"
SECONDS = 20
Field = descriptor_pb2.FieldDescriptorProto


class BadProto(Exception):
    """The compiler refused it; the text is what it said."""


class Contract:
    """One compiled `.proto`."""

    def __init__(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        self.file = file
        self.messages = {message.name: message for message in file.message_type}
        self.enums = {enum.name: enum for enum in file.enum_type}

    @classmethod
    def compile(cls, path: Path) -> "Contract":
        """Raises: BadProto."""
        command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={path.parent}", path.name]
        with TemporaryDirectory() as folder:
            out = Path(folder, "descriptors")
            command.append(f"--descriptor_set_out={out}")
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
            if done.returncode:
                raise BadProto(done.stderr.decode(errors="replace").strip())
            return cls(descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file[0])

    @cached_property
    def _pool(self) -> descriptor_pool.DescriptorPool:
        pool = descriptor_pool.DescriptorPool()
        pool.Add(self.file)
        return pool

    def message(self, name: str) -> Any:
        """The class of a message."""
        descriptor = self._pool.FindMessageTypeByName(f"{self.file.package}.{name}")
        return message_factory.GetMessageClass(descriptor)

    def fields(self, name: str) -> dict[str, Field]:
        return {field.name: field for field in self.messages[name].field} if name in self.messages else {}


def meaning(field: Field) -> str:
    """What a number stands for: `optional string prompt`."""
    label = Field.Label.Name(field.label).removeprefix("LABEL_").lower()
    if label == "optional" and not field.proto3_optional:
        label = ""
    kind = field.type_name.rpartition(".")[2] or Field.Type.Name(field.type).removeprefix("TYPE_").lower()
    return " ".join(filter(None, (label, kind, field.name)))


def changed_meanings(old: Contract, new: Contract) -> list[tuple[str, int, str, str]]:
    """Every number that means something else in `new`: message, number, then and now."""
    return [row for name in old.messages for row in changed_fields(old, new, name)]


def changed_fields(old: Contract, new: Contract, name: str) -> Iterator[tuple[str, int, str, str]]:
    now = {field.number: meaning(field) for field in new.fields(name).values()}
    for field in old.fields(name).values():
        found = now.get(field.number)
        if found is not None and found != meaning(field):
            yield name, field.number, meaning(field), found


def moved(old: Contract, new: Contract) -> list[str]:
    """Names that have another number now."""
    found = []
    for name in old.messages:
        now = new.fields(name)
        for field in old.fields(name).values():
            if field.name in now and now[field.name].number != field.number:
                found += [f"{name}.{field.name}: {field.number}, now {now[field.name].number}"]
    return found


def unguarded(old: Contract, new: Contract) -> list[str]:
    """What is gone from `new`, and could come back with another meaning: its number or its name is free."""
    found = []
    for name in old.messages:
        if name not in new.messages:
            found.append(f"the message {name} is gone")
            continue
        kept = new.fields(name)
        numbers = {
            number for span in new.messages[name].reserved_range for number in range(span.start, span.end)
        }
        names = set(new.messages[name].reserved_name)
        for field in old.fields(name).values():
            if field.name in kept:
                continue
            if field.number not in numbers:
                found.append(f"{name}: number {field.number} ({field.name})")
            if field.name not in names:
                found.append(f"{name}: name {field.name}")
    return found
