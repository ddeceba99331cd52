"""`prodigon up`, `status`, `down`: the stack from a terminal."""

import json
import os
import signal
from types import FrameType
from typing import Annotated, Any

import typer

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import starter
from prodigon_lib.stack.folder import known_stacks, stack_folder
from prodigon_lib.stack.stack import Stack
from prodigon_lib.stack.status import StackStatus
from prodigon_lib.workshop.terminal import say

Name = Annotated[str, typer.Option("--name", help="Which stack; each has its own database, ports and logs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Stopped(BaseException):
    """SIGINT or SIGTERM came: the one way out of a wait that no `except Exception` swallows."""


def up(
    name: Name = "default",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON once ready: URLs and pids.")
    ] = False,
    worker: Annotated[int, typer.Option(help="How many worker processes.")] = 1,
    model: Annotated[int, typer.Option(help="How many model processes.")] = 1,
    gateway: Annotated[int, typer.Option(help="How many gateways, behind one address.")] = 1,
    profile: Annotated[
        str | None, typer.Option(help="A latency profile of the simulated model, such as instant.")
    ] = None,
    restart: Annotated[str, typer.Option(help="Revive what died: always or never.")] = "always",
    auth: Annotated[bool, typer.Option("--auth", help="With accounts: see prodigon accounts.")] = False,
) -> None:
    """Run a stack in the foreground until Ctrl+C or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop_waiting)
    replicas = {"worker": worker, "model": model, "gateway": gateway}
    stack: Stack | None = None
    try:
        stack = Stack.start(name, replicas=replicas, profile=profile, restart=restart, auth=auth)
        say(json.dumps(ready_line(stack)) if as_json else introduction(stack))
        stack.wait()
        raise StackError(f"the stack '{name}' has ended; {stack_folder(name).log('supervisor')} may say why")
    except Stopped:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        if stack is not None and (others := starter.stop(stack_folder(name), beside=os.getpid())):
            say(f"prodigon: '{name}' runs on, held by {', '.join(map(str, others))}", err=True)


def status(as_json: AsJson = False) -> None:
    """Say what runs, and how it is. Exits with 1 when something of it is not healthy."""
    found = running_stacks()
    if as_json:
        say(json.dumps({"stacks": [document(name, answer) for name, answer in found.items()]}))
    elif not found:
        say("no stack runs")
    else:
        say("\n\n".join(described(name, answer) for name, answer in found.items()))
    if not all(StackStatus.from_wire(answer).healthy for answer in found.values()):
        raise typer.Exit(1)


def down(name: Name = "default") -> None:
    """Stop a stack, whoever holds it."""
    folder = stack_folder(name)
    ran = starter.look(folder) is not None
    starter.stop(folder)
    say(f"stopped '{name}'" if ran else f"'{name}' does not run")


def stop_waiting(_: int, __: FrameType | None) -> None:
    raise Stopped


def ready_line(stack: Stack) -> dict[str, Any]:
    urls = stack.urls
    return {
        "name": stack.name,
        "gateway": stack.url,
        "model": urls["model"],
        "worker": urls["worker"],
        "database": stack.database_url,
        "pids": stack.status().pids,
    }


def introduction(stack: Stack) -> str:
    return f"{stack.status()}\n\ngateway  {stack.url}\nits API  {stack.url}/docs\n\nCtrl+C stops it."


def running_stacks() -> dict[str, dict[str, Any]]:
    answers = {folder.name: starter.look(folder) for folder in known_stacks()}
    return {name: answer for name, answer in answers.items() if answer is not None}


def document(name: str, answer: dict[str, Any]) -> dict[str, Any]:
    """One stack for `status --json`. No database URL: it may hold a password, and this goes into reports."""
    facts = answer["facts"]
    return {
        "name": name,
        "healthy": StackStatus.from_wire(answer).healthy,
        "urls": facts["urls"],
        "supervisor": facts["supervisor"],
        "held_by": answer["held_by"],
        "services": answer["parts"],
    }


def described(name: str, answer: dict[str, Any]) -> str:
    state = StackStatus.from_wire(answer)
    return f"{name} ({held_by(state)})\n{state}"


def held_by(state: StackStatus) -> str:
    if state.held_by:
        return f"held by {', '.join(map(str, state.held_by))}"
    if state.labs:
        return f"kept a while by the lab {', '.join(map(str, state.labs))}"
    return "held by nobody, about to end"
