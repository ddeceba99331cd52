"""No leaks."""

import asyncio
import base64
import hmac
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_11_secrets_management import reports_process, signing_tool
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.provider import serving_provider
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.reports_process import MOMENT
from prodigon_lib.workshop.lessons.lesson_11_secrets_management.signing_tool import (
    LOOK_IN,
    REFUSE,
    texts_in,
)
from prodigon_lib.workshop.table import Table

HINTS = (
    "Follow the key with your finger: who holds it, and who writes down what they hold? An address is"
    " written into every log, an error's text into logs and answers, a command line is everybody's to read.",
    "Wrap it, so that it shows itself only when asked: pydantic's SecretStr, or a class whose repr is a mask."
    " A crash report has local variables: unwrap the key within the call that needs it, in no variable.",
    'Call httpx.get with params for what it is about and headers={"Authorization": f"Bearer {…}"}, where the'
    " key is unwrapped right there. Raise an error with only the status in it. Give the tool an input whose"
    " first line is the key, and say nothing of its standard error.",
)
MOMENTS = ("success", "the provider's fault", "the tool's fault", "crash")
CHANNELS = {
    "log": "A library logs addresses and your code logs what it is given: what of it has the key in it?",
    "the provider's list of addresses": "Send the key in a header: addresses are logged at every hop.",
    "answer to the caller": "Tell the caller in your own words that it failed, not in the other side's.",
    "repr": "Wrap the key, so that nothing that shows an object shows it.",
    "notebook": "Wrap the key, so that a cell that ends with the object does not show it.",
    "traceback": "An error's text stands in it: put neither the address nor another's words there.",
    "crash report": "It has your local variables: unwrap the key within the call, and keep it in none.",
    "command line of the tool": "Every user of the machine reads command lines; hand it over a pipe.",
    "environment of the tool": "What a child inherits its children do, too; hand the key over a pipe.",
    "files": "A file that is deleted afterwards was readable until then; hand the key over a pipe.",
}
WINDOW = 12
"""So many characters of the key in a row are a leak; the usual last four are none."""


@dataclass
class Provider:
    """Knows the key, and tells by what it is asked about how it behaves."""

    key: str
    notes: Path
    about: dict[str, str]
    text: str
    addresses: dict[str, str] = field(default_factory=dict)
    right: list[str] = field(default_factory=list)
    asked_for_the_last: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        moment = self.about.get(request.query.get("about", ""), "")
        self.addresses[moment] = str(request.rel_url)
        given = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.query.get("key")
        if given != self.key:
            return web.Response(status=401, text="no such key")
        self.right.append(moment)
        if moment == "crash":
            self.asked_for_the_last.set()
            await asyncio.sleep(20)
        if moment == "the provider's fault":
            return web.Response(status=402, text=f"the account of {self.key} is empty")
        if moment == "the tool's fault":
            (self.notes / REFUSE).touch()
        return web.Response(text=self.text)


class NoLeaksCheck(Check):
    seconds = 25

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        attempt.get("Reports")  # what can't even be loaded says so here
        self.attempt, self.findings = attempt, findings
        self.key = attempt.token(32)
        self.folders = {name: attempt.folder / name for name in ("secrets", "notes", "service", "temporary")}
        for folder in self.folders.values():
            folder.mkdir()
        (self.folders["notes"] / LOOK_IN).write_text(
            f"{self.folders['service']}\n{self.folders['temporary']}"
        )
        about = {attempt.token(): moment for moment in MOMENTS}
        self.provider = Provider(self.key, self.folders["notes"], about, attempt.token())
        async with serving_provider(self.provider.answer) as url:
            out, err = await self.service(url)
        self.was_used(out)
        self.leaked(out, err)

    async def service(self, url: str) -> tuple[dict[str, str], dict[str, str]]:
        """What the service said in each moment, to the outside and into its log."""
        key_file = self.folders["secrets"] / "key"
        key_file.write_text(self.key + "\n")
        tool = [sys.executable, "-I", str(Path(signing_tool.__file__)), str(self.folders["notes"])]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(reports_process.__file__)), str(self.attempt.path), str(key_file),
            str(self.crash_report), url, *tool, stdin=pipe, stdout=pipe, stderr=pipe,
            cwd=self.folders["service"], env=os.environ | {"TMPDIR": str(self.folders["temporary"])},
        )  # fmt: skip
        saying = asyncio.create_task(process.communicate("\n".join(self.provider.about).encode()))
        asked = asyncio.create_task(self.provider.asked_for_the_last.wait())
        await asyncio.wait({saying, asked}, timeout=15, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)  # as Ctrl+C does, in the middle of a call
        out, err = await self.findings.finishes(
            "the service, after an interrupt",
            saying,
            within=5,
            step="Let an interrupt through: it is no fault.",
        )
        return self.by_moment(out.decode(errors="replace")), self.by_moment(err.decode(errors="replace"))

    @property
    def crash_report(self) -> Path:
        return self.attempt.folder / "crash.txt"

    def by_moment(self, text: str) -> dict[str, str]:
        """What was said in each moment; what came before the first one belongs to it."""
        parts: dict[str, str] = {}
        moment = MOMENTS[0]
        for line in text.splitlines():
            if line.startswith(MOMENT):
                moment = self.provider.about.get(line.removeprefix(MOMENT), moment)
            parts[moment] = f"{parts.get(moment, '')}{line}\n"
        return parts

    def was_used(self, out: Mapping[str, str]) -> None:
        said = {moment: last_document(text) for moment, text in out.items()}
        signature = hmac.new(self.key.encode(), self.provider.text.encode(), "sha256").hexdigest()
        wanted = {"status": 200, "body": {"text": self.provider.text, "signature": signature}}
        first = said.get(MOMENTS[0], {})
        status = [said.get(moment, {}).get("status") for moment in MOMENTS[1:3]]
        with self.findings.together():
            self.findings.equal(
                "moments in which the provider got the key", self.provider.right, list(MOMENTS),
                step="The provider must get the key: as `?key=…`, or as a Bearer token in Authorization.",
            )  # fmt: skip
            self.findings.equal(
                "the report", {name: first.get(name) for name in wanted}, wanted,
                step="Give the tool the key and the provider's text, and return what it prints.",
            )  # fmt: skip
            self.findings.equal(
                "status where the provider fails, and where the tool does", status, [502, 502],
                step="A fault must be told: raise where the provider or the tool fails.",
            )  # fmt: skip

    def leaked(self, out: Mapping[str, str], err: Mapping[str, str]) -> None:
        found = {
            channel: [moment for moment, text in texts.items() if self.shows(text)]
            for channel, texts in self.channels(out, err).items()
        }
        rows = [
            [channel, *("read" if m in moments else "" for m in MOMENTS)]
            for channel, moments in found.items()
        ]
        seen = Table(["where", *MOMENTS], rows)
        with self.findings.together():
            for channel, moments in found.items():
                self.findings.expect(
                    f"{channel}: the key can be read",
                    measured=f"after {', '.join(moments)}" if moments else "never", wanted="never",
                    holds=not moments, step=CHANNELS[channel],
                    evidence=seen if moments and not self.findings.evidence else None,
                )  # fmt: skip

    def channels(self, out: Mapping[str, str], err: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """The text of each channel, by the moment."""
        said = {moment: last_document(text) for moment, text in out.items()}
        crash = {MOMENTS[3]: self.crash_report.read_text() if self.crash_report.exists() else ""}
        notes = [
            json.loads(path.read_text()) for path in sorted(self.folders["notes"].glob("*.json"), key=mtime)
        ]
        tool = dict(zip((MOMENTS[0], MOMENTS[2]), notes, strict=False))
        left = texts_in(self.folders["service"], self.folders["temporary"])
        texts = {
            "log": {moment: before_a_trace(text) for moment, text in err.items()},
            "the provider's list of addresses": self.provider.addresses,
            "answer to the caller": {moment: str(each.get("body")) for moment, each in said.items()},
            "repr": {moment: str(each.get("repr")) for moment, each in said.items()},
            "notebook": {moment: str(each.get("notebook")) for moment, each in said.items()},
            "traceback": {moment: text.removeprefix(before_a_trace(text)) for moment, text in err.items()},
            "crash report": crash,
            "command line of the tool": {moment: each["command line"] for moment, each in tool.items()},
            "environment of the tool": {moment: each["environment"] for moment, each in tool.items()},
            "files": {moment: each["files"] for moment, each in tool.items()} | {MOMENTS[3]: left},
        }
        return texts

    def shows(self, text: str) -> bool:
        """Whether the key, most of it, or one of its usual disguises is in the text."""
        return any(form in text for form in forms(self.key))


def forms(key: str) -> Iterator[str]:
    yield from (key[start : start + WINDOW] for start in range(len(key) - WINDOW + 1))
    yield key.encode().hex()
    for before in range(3):  # base64 depends on how much stands before
        encoded = base64.b64encode(b" " * before + key.encode()).decode()
        yield encoded[4:-4]


def before_a_trace(text: str) -> str:
    return text.partition("Traceback (most recent call last)")[0]


def last_document(text: str) -> dict[str, object]:
    """The last JSON object that stands on a line of its own."""
    for line in reversed(text.splitlines()):
        with suppress(ValueError):
            if isinstance(found := json.loads(line), dict):
                return found
    return {}


def mtime(path: Path) -> int:
    return path.stat().st_mtime_ns
