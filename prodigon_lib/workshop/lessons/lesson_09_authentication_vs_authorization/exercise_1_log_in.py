"""Log in safely."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.argon_work import (
    argon_work,
)
from prodigon_lib.workshop.table import Table

HINTS = (
    "Write down what a guesser can see of one try: the status, the body, the headers, how long it took, and"
    " when the next try is let in. For a name that nobody has, each must be as it is for a name that exists.",
    "An unknown name is quick, since nothing is hashed for it. So give it something to check: a hash that was"
    " made once, with the same hasher. And count failures by the name that was tried, not by accounts.",
    "In __init__: self.nobodys = hasher.hash(token_hex()). In log_in: first the wait; then verify"
    " accounts.get(name, self.nobodys), and let in only who is in accounts; then check_needs_rehash."
    " The wait is min(1.0 * 2 ** (failures - 3), 900.0).",
)
WAITS = [*(str(2**power) for power in range(10)), "900", "900"]
"""`Retry-After` after the third failure, after the fourth, and so on."""
OFTEN = 6
ALIKE = "Return one and the same reply for both, and let no text say which it was."


@dataclass
class Clock:
    """Seconds, which pass when the check says so."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class LogInCheck(Check):
    seconds = 20

    def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings, self.clock = attempt, findings, Clock()
        attempt.get("Logins")  # what can't even be loaded says so here
        self.hasher = PasswordHasher(1, attempt.random.randrange(256, 512, 8), 1)
        with argon_work() as self.work:
            self.kept()
            self.right_and_wrong()
            self.alike()
            self.opens_nothing()
            self.waits()
            self.set_back()
            self.new_parameters()

    def logins(self, accounts: MutableMapping[str, str] | None = None) -> Any:
        return self.attempt.get("Logins")({} if accounts is None else accounts, self.hasher, self.clock)

    def with_one(self) -> tuple[Any, str, str]:
        """Logins that know one name, the name, and its password."""
        logins, name, password = self.logins(), self.attempt.token(), self.attempt.token(20)
        logins.register(name, password)
        return logins, name, password

    def kept(self) -> None:
        accounts: dict[str, str] = {}
        logins, password = self.logins(accounts), self.attempt.token(20)
        for _ in range(3):
            logins.register(self.attempt.token(), password)
        wanted = f"argon2id, {self.hasher.time_cost} passes, {self.hasher.memory_cost} KiB"
        self.findings.equal(
            "a password is kept as", sorted({described(kept) for kept in accounts.values()}), [wanted],
            step="Keep what self.hasher.hash(password) gives: it has the salt and the parameters in it.",
        )  # fmt: skip
        salts = {kept.split("$")[4] for kept in accounts.values()}
        self.findings.equal(
            "salts of three users with the same password", len(salts), 3,
            step="Let the hasher draw a salt for each; with one for all, equal passwords show.",
        )  # fmt: skip

    def right_and_wrong(self) -> None:
        accounts: dict[str, str] = {}
        name, other = self.attempt.token(), self.attempt.token()
        long = self.attempt.token(100) + "Ä"
        logins = self.logins(accounts)
        logins.register(name, long)
        logins.register(other, self.attempt.token())
        tries = {
            "the right password": (name, long, 200),
            "one with another last letter": (name, long[:-1] + "Ö", 401),
            "one with a space after it": (name, long + " ", 401),
            "one in capital letters": (name, long.upper(), 401),
            "its first 72 letters": (name, long[:72], 401),
            "no password": (name, "", 401),
            "another user's password": (other, long, 401),
        }
        got = [
            (what, self.logins(accounts).log_in(*each[:2]).status, each[2]) for what, each in tries.items()
        ]
        wrong = [row for row in got if row[1] != row[2]]
        self.findings.equal(
            f"answers to {len(got)} passwords that were wrong", len(wrong), 0,
            evidence=Table(["tried", "status", "wanted"], wrong),
            step="Verify the whole password, as it is, against the name's own hash.",
        )  # fmt: skip

    def alike(self) -> None:
        """An unknown name beside a wrong password, several times, as a guesser would."""
        logins, names = self.logins(), [self.attempt.token() for _ in range(OFTEN)]
        for name in names:
            logins.register(name, self.attempt.token())
        logins.log_in(self.attempt.token(), "")  # what is prepared at the first use is prepared now
        known = [self.seen(logins, name) for name in names]
        unknown = [self.seen(logins, self.attempt.token()) for _ in range(OFTEN)]
        with self.findings.together():
            self.findings.equal(
                "replies to unknown names, beside those to a wrong password",
                sorted({reply for reply, _ in unknown}), sorted({reply for reply, _ in known}), step=ALIKE,
            )  # fmt: skip
            self.findings.equal(
                "the hasher's work for an unknown name, beside that for a wrong password (KiB times passes)",
                sorted({work for _, work in unknown}), sorted({work for _, work in known}),
                step="Verify the password against some hash also where there is no account: one that was"
                " made by the same hasher.",
            )  # fmt: skip

    def seen(self, logins: Any, name: str) -> tuple[str, int]:
        """What a guesser sees of a try, without the name in it, and what it cost."""
        self.work.take()
        reply = logins.log_in(name, self.attempt.token())
        return seen(reply).replace(name, "NAME"), sum(self.work.take())

    def opens_nothing(self) -> None:
        """What an unknown name is checked against may have a password; it must not let anybody in."""
        logins = self.logins()
        for _ in range(2):
            logins.log_in(self.attempt.token(), self.attempt.token())
        tried = {secret.decode(errors="replace") for secret in self.work.hashed} | {"", "dummy", "password"}
        let_in = [secret for secret in tried if logins.log_in(self.attempt.token(), secret).status == 200]
        self.findings.equal(
            "passwords that let a name in that nobody has", len(let_in), 0,
            step="Whatever the hasher says, let in only a name that is in self.accounts.",
        )  # fmt: skip

    def waits(self) -> None:
        logins, name, password = self.with_one()
        found = {"a name with an account": self.guessed(logins, name, password)}
        found["a name without"] = self.guessed(logins, self.attempt.token(), password)
        other, word = self.attempt.token(), self.attempt.token()
        logins.register(other, word)
        for whose, (first, meanwhile, waits, worked, soon) in found.items():
            self.findings.equal(
                f"{whose}: the first three failures", first, [401, 401, 401],
                step="Three tries in a row are free.",
            )  # fmt: skip
            with self.findings.together():
                self.findings.equal(
                    f"{whose}: tries while it has to wait, the right password's too", meanwhile, {429},
                    step="Look whether the name has to wait first, before the password.",
                )  # fmt: skip
                self.findings.equal(
                    f"{whose}: the hasher's work for those", worked, 0,
                    step="Turn a try away before anything is hashed, or a flood of them costs you dearly.",
                )  # fmt: skip
                self.findings.equal(
                    f"{whose}: Retry-After from the third failure on", waits, WAITS,
                    step="1 second after the third failure in a row, then twice as long after each, up to"
                    " 900; a try that was turned away changes nothing.",
                )  # fmt: skip
                self.findings.equal(
                    f"{whose}: Retry-After with half of a second left", soon, "1",
                    step="Round up: math.ceil.",
                )  # fmt: skip
        self.findings.equal(
            "another name's login meanwhile", logins.log_in(other, word).status, 200,
            step="Count failures for each name by itself.",
        )  # fmt: skip

    def guessed(
        self, logins: Any, name: str, password: str
    ) -> tuple[list[int], set[int], list[str], int, str]:
        """Wrong passwords, each as soon as it is looked at; and between them what has to wait."""
        first = [logins.log_in(name, self.attempt.token()).status for _ in range(3)]
        meanwhile, waits, worked, soon = set(), [], 0, ""
        for wanted in WAITS:
            self.work.take()
            turned_away = [logins.log_in(name, word) for word in (password, self.attempt.token(), password)]
            worked += sum(self.work.take())
            meanwhile |= {reply.status for reply in turned_away}
            waits.append(str(dict(turned_away[-1].headers).get("Retry-After", "none")))
            self.clock.now += int(wanted) - 0.5
            last = logins.log_in(name, password)
            meanwhile.add(last.status)
            soon = str(dict(last.headers).get("Retry-After", "none"))
            self.clock.now += 0.6
            logins.log_in(name, self.attempt.token())
        return first, meanwhile, waits, worked, soon

    def set_back(self) -> None:
        logins, name, password = self.with_one()
        got = []
        for _ in range(3):
            got += [logins.log_in(name, self.attempt.token()).status for _ in range(3)]
            self.clock.now += 1.1
            got.append(logins.log_in(name, password).status)
        self.findings.equal(
            "three failures, a wait and a login, three times over", got, 3 * [401, 401, 401, 200],
            step="When a login succeeds, forget the name's failures.",
        )  # fmt: skip

    def new_parameters(self) -> None:
        """Accounts from the time when hashes were cheaper."""
        accounts: dict[str, str] = {}
        name, password = self.attempt.token(), self.attempt.token()
        before = accounts[name] = PasswordHasher(1, 64, 1).hash(password)
        logins = self.logins(accounts)
        logins.log_in(name, self.attempt.token())
        self.findings.equal(
            "an old hash after a wrong password", accounts[name], before,
            step="Make a new hash only of a password that has just been found right.",
        )  # fmt: skip
        first = logins.log_in(name, password).status
        after = accounts[name]
        again = [logins.log_in(name, password).status, logins.log_in(name, self.attempt.token()).status]
        new = f"argon2id, {self.hasher.time_cost} passes, {self.hasher.memory_cost} KiB"
        with self.findings.together():
            self.findings.equal(
                "an old hash after the right password", described(after), new,
                step="After a login: if self.hasher.check_needs_rehash(kept), keep a new hash.",
            )  # fmt: skip
            self.findings.equal(
                "logins with an old hash: right, right again, wrong", [first, *again], [200, 200, 401],
                step="The new hash is one of the same password.",
            )  # fmt: skip
            self.findings.equal(
                "a new hash after another login", accounts[name], after,
                step="Keep a new hash only where the parameters are old ones.",
            )  # fmt: skip


def described(kept: str) -> str:
    """Kind and parameters of a hash."""
    try:
        found = extract_parameters(kept)
    except InvalidHashError:
        return f"no hash of Argon2: {str(kept)[:12]}…"
    kind = {Type.ID: "argon2id", Type.I: "argon2i", Type.D: "argon2d"}[found.type]
    return f"{kind}, {found.time_cost} passes, {found.memory_cost} KiB"


def seen(reply: Any) -> str:
    return f"{reply.status} {reply.body} {dict(reply.headers)}"
