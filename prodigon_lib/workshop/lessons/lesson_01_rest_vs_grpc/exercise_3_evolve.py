"""Evolve the contract."""

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.contracts import (
    V1,
    BadProto,
    Contract,
    changed_meanings,
    meaning,
    moved,
    unguarded,
)
from prodigon_lib.workshop.table import Table

FILE = "evolve.proto"
HINTS = (
    "On the wire a field is its number and a coarse type; the name is not there. So whatever you do, a number"
    " that was ever used keeps its meaning, and a new field takes a number that nobody has used before.",
    "A field that goes leaves its number and its name behind as reserved, each in a statement of its own:"
    ' `reserved 4;` and `reserved "name";`. Then the compiler refuses whoever wants to use them again.',
    "`repeated string stop` holds any number of strings. Only `optional` lets a reader tell a seed of 0 from"
    " no seed at all. The new member of the `oneof` goes inside its braces, with the next free number there.",
)
NEW = {
    "stop": ("GenerateRequest", "repeated string stop"),
    "seed": ("GenerateRequest", "optional uint64 seed"),
    "finish_reason": ("StreamGenerateResponse", "string finish_reason"),
}


class EvolveCheck(Check):
    seconds = 25

    def run(self, attempt: Attempt, findings: Findings) -> None:
        old = Contract.compile(V1)
        try:
            new = Contract.compile(attempt.path)
        except BadProto as error:
            findings.expect(
                "the compiler", measured="it refuses the file", wanted="it takes it", holds=False,
                step="Mend the line that the compiler names.", evidence=str(error),
            )  # fmt: skip
            return
        guarded(old, new, findings)
        extended(old, new, findings)
        both_ways(old, new, attempt, findings)


def guarded(old: Contract, new: Contract, findings: Findings) -> None:
    """From the descriptors alone: no number changed its meaning, and none can."""
    findings.equal(
        "package", new.file.package, old.file.package, step="Keep the package: it is in each path."
    )
    changed = changed_meanings(old, new)
    findings.expect(
        "numbers with a new meaning",
        measured=changed or "none",
        wanted="none",
        holds=not changed,
        step="Give the old number back to its field, or reserve it; take a new one for the new field.",
        evidence=Table(["message", "number", "meant", "means now"], changed) if changed else None,
    )
    findings.equal(
        "fields that were renumbered", moved(old, new), [], step="A field keeps its number for ever."
    )
    findings.equal(
        "system_prompt",
        "system_prompt" in new.fields("GenerateRequest"),
        False,
        step="Take system_prompt out.",
    )
    findings.equal(
        "numbers and names that could come back", unguarded(old, new), [],
        step="Reserve both the number and the name of a field that is gone, and remove no other.",
    )  # fmt: skip
    calls = [calls_of(contract) for contract in (new, old)]
    findings.equal("the service's calls", calls[0], calls[1], step="Leave the calls as they are.")
    roles = [{value.name: value.number for value in each.enums["Role"].value} for each in (new, old)]
    findings.equal("the roles", roles[0], roles[1], step="Leave the enum as it is.")


def calls_of(contract: Contract) -> list[tuple[str, str, str]]:
    return [
        (method.name, method.input_type, method.output_type)
        for service in contract.file.service
        for method in service.method
    ]


def extended(old: Contract, new: Contract, findings: Findings) -> None:
    for name, (message, wanted) in NEW.items():
        field = new.fields(message).get(name)
        findings.equal(
            f"{message}.{name}",
            meaning(field) if field else "missing",
            wanted,
            step=f"Add {wanted} to {message}.",
        )
    field = new.fields("StreamGenerateResponse")["finish_reason"]
    findings.equal(
        "finish_reason is one of the items",
        in_oneof(new, field),
        "item",
        step="Put it inside the oneof `item`.",
    )


def in_oneof(contract: Contract, field: Field) -> str:
    oneofs = contract.messages["StreamGenerateResponse"].oneof_decl
    return oneofs[field.oneof_index].name if field.HasField("oneof_index") else "none"


def both_ways(old: Contract, new: Contract, attempt: Attempt, findings: Findings) -> None:
    """Bytes of either revision, read by the other."""
    said = {"prompt": attempt.token(), "max_tokens": attempt.random.randrange(1, 99), "temperature": 0.0}
    written = old.message("GenerateRequest")(system_prompt=attempt.token(), **said)
    read = new.message("GenerateRequest").FromString(written.SerializeToString())
    step = "Compare the numbers and types of the two revisions, field by field."
    findings.equal("an old request, read by the new", kept(read, said), said, step=step)
    findings.equal("its seed is none", read.HasField("seed"), False, step=step)
    added = {"stop": [attempt.token(), attempt.token()], "seed": 0}
    written = new.message("GenerateRequest")(**said, **added)
    read = old.message("GenerateRequest").FromString(written.SerializeToString())
    findings.equal("a new request, read by the old", kept(read, said), said, step=step)
    passed_on = new.message("GenerateRequest").FromString(read.SerializeToString())
    findings.equal(
        "what the old did not know, after it passed the request on",
        {"stop": list(passed_on.stop), "seed": passed_on.seed if passed_on.HasField("seed") else None},
        added,
        step=step,
    )
    item = new.message("StreamGenerateResponse")(finish_reason=attempt.token())
    seen = old.message("StreamGenerateResponse").FromString(item.SerializeToString())
    findings.equal("a new item, to an old reader", seen.WhichOneof("item"), None, step=step)


def kept(message: Any, said: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(message, name) for name in said if message.HasField(name)}
