"""Files, and nothing but these files."""

import os
from collections.abc import Iterator
from urllib.parse import quote, unquote

from prodigon_lib.workshop.asgi import Reply, started
from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.table import Table

HINTS = (
    "A list of bad names is never whole, and stops good ones too. Don't ask what the name looks like; ask"
    " the file system where it leads, once every link and every dot is followed.",
    "Path.resolve(strict=True) follows all of it, and raises OSError where nothing is. Compare what it finds"
    " with the resolved root, as paths: is_relative_to knows parts, startswith knows only letters. Then look"
    " whether it is a file.",
    "U+0000 in the name: 400. Else try: found = (root / name).resolve(strict=True); give it back when it"
    " is_relative_to(root.resolve()) and is_file(). OSError and RuntimeError, and everything left over: 404,"
    " with the same text each time.",
)
ORDINARY = (
    "plain.txt", "two words.txt", "größe.md", "v1..2.txt", "..dots", "100%25.txt", "%2e%2e.txt", "a;b&c.txt",
    "deep/deeper/leaf.txt", "deep/.hidden", "~", "empty", "日本語.txt", "back\\slash.txt",
)  # fmt: skip
PATIENCE = 6.0


class FilesCheck(Check):
    seconds = 20

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        self.lay_out()
        async with started(attempt.get("create_app")(self.root)) as self.service:
            await self.ordinary_files()
            await self.nothing_else()
            await self.the_same_answer()
            await self.right_codes()

    def lay_out(self) -> None:
        """The folder that is given out, and around it what must stay where it is."""
        token = self.attempt.token
        self.secret, self.word = token(24), token(6)
        self.root = self.attempt.folder / self.word / "files"
        self.texts = {name: f"{token()} {name}" for name in ORDINARY} | {"empty": ""}
        for name, text in self.texts.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for outside in ("secret.txt", "files-of-others/secret.txt", "files.txt"):
            path = self.root.parent / outside
            path.parent.mkdir(exist_ok=True)
            path.write_text(self.secret)
        (self.root / "near").symlink_to("plain.txt")
        (self.root / "far").symlink_to("../secret.txt")
        (self.root / "away").symlink_to(self.root.parent)
        (self.root / "twice").symlink_to("far")
        (self.root / "loop").symlink_to("loop")
        (self.root / "broken").symlink_to("nothing")
        os.mkfifo(self.root / "pipe")
        self.texts["near"] = self.texts["plain.txt"]

    async def get(self, raw: str) -> Reply:
        """Ask for a name as it stands in a URL; a server decodes it once."""
        return await self.findings.finishes(
            f"/files/{raw}", self.service.ask("GET", f"/files/{unquote(raw)}"), within=PATIENCE,
            step="Not everything that has a name is a file: opening a pipe waits for somebody who writes.",
        )  # fmt: skip

    async def ordinary_files(self) -> None:
        wrong = []
        for name, text in self.texts.items():
            reply = await self.get(quote(name))
            if reply.status != 200 or reply.body != text.encode():
                wrong.append((name, reply.said))
        self.findings.equal(
            f"ordinary files of {len(self.texts)} that did not come", len(wrong), 0,
            evidence=Table(["file", "answer"], wrong),
            step="Stop no name for how it looks: `v1..2.txt` is a file, and a link that stays inside is one.",
        )  # fmt: skip

    async def nothing_else(self) -> None:
        got, names = [], list(dict.fromkeys(self.ways_out()))
        for raw in names:
            reply = await self.get(raw)
            if reply.status == 200 or self.secret.encode() in reply.body:
                got.append((raw, reply.said, reply.body[:60].decode(errors="replace")))
        self.findings.equal(
            f"ways out of the folder, of {len(names)}", len(got), 0,
            evidence=Table(["/files/…", "answer", "begins"], got[:6]),
            step="Look where the name leads in the end, links and all, and compare that with the folder.",
        )  # fmt: skip

    def ways_out(self) -> Iterator[str]:
        """Names as they stand in a URL."""
        up = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%252e%252e%252f", "..\\", "..%5c", "....//", "..;/",
              "%c0%ae%c0%ae/", "%uff0e%uff0e/", quote("．．／"), "./.././", "deep/../../", "%2e./",  # noqa: RUF001
              "deep/deeper/../../../", ".%00./", "..%00/", "..//", "nowhere/../../")  # fmt: skip
        for target in ("secret.txt", "files-of-others/secret.txt", "files.txt"):
            for step in up:
                for depth in (1, 2):
                    yield step * depth + target
                    yield step * depth + f"{self.word}/{target}"
            absolute = str(self.root.parent / target)
            for lead in ("", "/", "//", "%2f", "deep/%2f", "file://", "file:", "~/..", "\\"):
                yield lead + absolute
            yield quote(absolute, safe="")
            yield quote(quote(absolute, safe=""), safe="")
        yield from ("far", "twice", "away/secret.txt", "away/files-of-others/secret.txt", "deep/../far")
        yield from ("/proc/self/environ", "../" * 20 + "proc/self/cmdline", "/proc/self/maps")

    async def the_same_answer(self) -> None:
        """What lies outside, and what is nowhere."""
        nowhere = await self.get(self.attempt.token())
        there = ("../secret.txt", "far", "away/secret.txt", str(self.root.parent / "secret.txt"), "../")
        told = []
        for raw in there:
            reply = await self.get(raw)
            if (reply.status, reply.body) != (nowhere.status, nowhere.body):
                told.append((raw, reply.said, reply.body[:60].decode(errors="replace")))
        self.findings.equal(
            f"of {len(there)} things outside, those that answer unlike what is nowhere", len(told), 0,
            evidence=Table(["/files/…", "answer", "begins"], told),
            step="404 with one text for both: 403 says that something is there.",
        )  # fmt: skip

    async def right_codes(self) -> None:
        long = "x" * 5000
        wanted = {
            self.attempt.token(): 404, "": 404, "deep": 404, "deep/": 404, ".": 404,
            "plain.txt/more": 404, "pipe": 404, "loop": 404, "broken": 404, "twice": 404, long: 404,
            "no%00thing": 400, "%00": 400, "plain.txt%00.png": 400,
        }  # fmt: skip
        wrong = []
        for raw, code in wanted.items():
            reply = await self.get(raw)
            if reply.status != code:
                wrong.append((raw[:30], reply.said[:80], code))
        post = await self.service.ask("POST", "/files/plain.txt")
        if post.status != 405:
            wrong.append(("plain.txt, by POST", post.said, 405))
        self.findings.equal(
            f"wrong answers to {len(wanted) + 1} names that are no file", len(wrong), 0,
            evidence=Table(["/files/…", "answer", "wanted"], wrong),
            step="Look at what the file system says of such a name: some of it is an exception.",
        )  # fmt: skip
