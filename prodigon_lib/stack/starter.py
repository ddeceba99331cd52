"""Finds the supervisor of a stack, or starts one."""

import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.locations import ENV_FILE
from prodigon_lib.stack.channel import Channel, NobodyListens
from prodigon_lib.stack.environment import base_environment
from prodigon_lib.stack.faults import as_stack_error
from prodigon_lib.stack.folder import StackFolder, open_folder
from prodigon_lib.stack.holders import myself
from prodigon_lib.stack.lease import LEASES, lab_of_this_kernel
from prodigon_lib.stack.options import StackOptions
from prodigon_lib.stack.process import is_running, send

START_SECONDS = 90.0


def start(folder: StackFolder, options: StackOptions, *, timeout: float = START_SECONDS) -> dict[str, Any]:
    """Take a lease on the stack, which is started or replaced when need be; gives what it says of itself.

    Raises:
        StackError: it can't be started, or somebody else holds it with other options.
    """
    open_folder(folder)
    with as_stack_error(folder.root), folder.starting:
        channel = attach(folder, options) or begin(folder, options)
    return keep(folder, channel, timeout)


def join(folder: StackFolder, *, timeout: float = START_SECONDS) -> dict[str, Any] | None:
    """Take a lease on what runs, whatever its options; gives what it says of itself, `None` without any."""
    channel = connect(folder)
    if channel is None:
        return None
    try:
        if hold(channel, None).get("held"):
            return keep(folder, channel, timeout)
    except NobodyListens:
        pass
    channel.close()
    return None


def keep(folder: StackFolder, channel: Channel, timeout: float) -> dict[str, Any]:
    """The lease that `channel` has become, once the stack is up. Raises StackError: it did not come up."""
    try:
        answer = channel.receive(timeout)
    except NobodyListens:
        channel.close()
        raise StackError(f"the supervisor of '{folder.name}' ended; see {folder.log('supervisor')}") from None
    except BaseException:
        channel.close()
        raise
    LEASES.keep(folder.root, channel)
    ready: dict[str, Any] = answer["ready"]
    return ready


def attach(folder: StackFolder, options: StackOptions) -> Channel | None:
    """A lease on the running stack; `None` when none runs, or when it had to make way for these options."""
    channel = connect(folder)
    if channel is None:
        return None
    try:
        answer = hold(channel, options)
    except NobodyListens:
        answer = {"ending": True}
    if answer.get("held"):
        return channel
    channel.close()
    if others := answer.get("held_by"):
        raise StackError(
            f"the stack '{folder.name}' runs with other options ({'; '.join(answer['differs'])}) and is held "
            f"by {'processes' if len(others) > 1 else 'process'} {', '.join(map(str, others))}: "
            f"use another name, or `prodigon down --name {folder.name}`"
        )
    if "differs" in answer:
        stop(folder, beside=os.getpid())
    return None


def begin(folder: StackFolder, options: StackOptions) -> Channel:
    """Start a supervisor, and take the first lease. It waits for one that has not quite ended."""
    spawn(folder, options)
    channel = connect(folder)
    if channel is None or not hold(channel, options).get("held"):
        raise StackError(f"the supervisor of '{folder.name}' ended; see {folder.log('supervisor')}")
    return channel


def hold(channel: Channel, options: StackOptions | None) -> dict[str, Any]:
    """Ask for a lease; without options, on whatever runs."""
    return channel.ask(
        do="hold",
        holder=myself(os.getpid()),
        fingerprint=options.fingerprint() if options else None,
        lab=lab_of_this_kernel(),
    )


def stop(folder: StackFolder, *, beside: int | None = None) -> list[int]:
    """End the stack, and return once nothing of it is left.

    Args:
        beside: this process's pid: then it is not stopped while others hold it, and these are given.

    Raises:
        StackError: it would not end.
    """
    LEASES.drop(folder.root)
    channel = connect(folder)
    if channel is not None:
        with channel:
            try:
                if others := channel.ask(do="stop", unless_held_beside=beside).get("held_by"):
                    return list(others)
            except NobodyListens:
                pass
    if folder.root.is_dir():
        with as_stack_error(folder.root):
            wait_until_gone(folder)
    return []


def wait_until_gone(folder: StackFolder) -> None:
    """The lock is free only once the supervisor and its guard are gone, and so all that they started."""
    try:
        with folder.running:
            return
    except StackError:
        address = read_address(folder)
        if not address or not is_running(address["pid"], address["started"]):
            raise
    send(address["pid"], signal.SIGKILL)  # it hangs: its guard ends the rest
    with folder.running:
        pass


def look(folder: StackFolder) -> dict[str, Any] | None:
    """What the running stack says of itself; `None` when none runs."""
    channel = connect(folder)
    if channel is None:
        return None
    with channel:
        try:
            return channel.ask(do="look")
        except NobodyListens:
            return None


def connect(folder: StackFolder) -> Channel | None:
    """A connection to the supervisor; `None` when none runs."""
    address = read_address(folder)
    try:
        return Channel(address["socket"]) if address else None
    except NobodyListens:
        return None


def read_address(folder: StackFolder) -> dict[str, Any] | None:
    try:
        address: dict[str, Any] = json.loads(folder.address.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise StackError(f"can't read {folder.address}: {error}") from None
    return address


def spawn(folder: StackFolder, options: StackOptions) -> None:
    """Start a supervisor in a session of its own, and return once it listens. Raises StackError."""
    process = subprocess.Popen(
        [sys.executable, "-m", "prodigon_lib.stack.supervisor"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder.root,
        env={**base_environment(), "PRODIGON_HOME": str(folder.home), ENV_FILE: ""},
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdin, process.stdout, process.stderr:
        try:
            plan = {"home": str(folder.home), "name": folder.name, "options": options.wire()}
            process.stdin.write(json.dumps(plan).encode())
            process.stdin.close()
        except BrokenPipeError:
            pass  # it says why below
        line = process.stdout.readline()
        said = b"" if line else process.stderr.read()
    threading.Thread(target=process.wait, daemon=True).start()  # no zombie while this process lives on
    if not line:
        why = (said.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise StackError(f"the supervisor could not start: {why}")
    if error := json.loads(line).get("error"):
        raise StackError(error)
