"""A canary as the provider's key of a running stack, and the hunt for it: who of all its processes has it?"""

from dataclasses import dataclass

import httpx

from prodigon_lib.stack import Stack
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.canaries import command_line, environment
from prodigon_lib.workshop.table import Table

ASKED = ("/health/ready", "/metrics", "/openapi.json", "/nowhere")


@dataclass(frozen=True)
class StackHunt:
    """Processes that have the canary in their environment or command line, and whether anything said it.

    `unread` has the processes that this machine lets nobody look into.
    """

    environments: list[str]
    command_lines: list[str]
    processes: list[str]
    unread: list[str]
    in_logs: bool
    in_answers: bool

    def table(self) -> Table:
        rows = [
            (name, word(name in self.environments, name in self.unread), word(name in self.command_lines))
            for name in self.processes
        ]
        rows += [("all logs", word(self.in_logs), ""), ("answers over HTTP", word(self.in_answers), "")]
        return Table(["who", "has it in the environment, or says it", "on the command line"], rows)


def word(found: bool, unread: bool = False) -> str:
    return "can't be read here" if unread else "yes" if found else "no"


def hunt_in_stack(stack: Stack, canary: str) -> StackHunt:
    """Look into every process of the stack, its logs, and what its services answer."""
    pids = stack.status().pids
    environments = {name: environment(pid) for name, pid in pids.items()}
    lines = {name: command_line(pid) for name, pid in pids.items()}
    said = "".join(str(record) for record in stack.logs(tail=None))
    with httpx.Client(trust_env=False, timeout=10) as client:
        answers = "".join(
            client.get(f"{stack.urls[name]}{path}").text
            for name in ("gateway", "model", "worker")
            for path in ASKED
        )
    return StackHunt(
        [name for name, text in environments.items() if text and canary in text],
        [name for name, text in lines.items() if text and canary in text],
        list(pids),
        [name for name, text in environments.items() if text is None],
        canary in said,
        canary in answers,
    )
