"""Look at tokens as an attacker does."""

import json
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.forging import (
    Issuer,
    SigningKey,
    forgeries,
    malformed,
    misdirected,
    traversals,
)
from prodigon_lib.workshop.table import Table

HINTS = (
    "Header and claims are written by whoever sends the token. Which of your decisions use them before the"
    " signature is proven: the algorithm, the key, the file that is read? Decide those here, from what"
    " you know yourself.",
    "The kid is a name: look it up among the names of the files that are there. Name the one algorithm. Then"
    " demand each claim, with JWTClaimsRegistry, and turn each error that a malformed token makes into"
    " Refused.",
    "keys = {path.stem: path for path in self.folder.glob('*.pem')}; algorithms=['Ed25519']; iss, aud"
    " essential with a value. For refresh tokens: token_urlsafe(32), the store under its sha256 with"
    " sid and used; a used one that comes again adds its sid to revoked.",
)
TAKEN, REFUSED = "taken", "refused"
LEAST_LENGTH = 22
"""Letters of a refresh token: 128 bits need as many of the 64 that an address may hold."""
DRAWN = 50


class TokenCheck(Check):
    seconds = 20

    def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        attempt.get("Verifier"), attempt.get("Refreshes")  # what can't even be loaded says so here
        token = attempt.token
        self.issuer = Issuer(f"https://{token()}.example", token())
        self.folder, self.revoked = attempt.folder / "keys", set[str]()
        self.folder.mkdir()
        self.old, self.new, self.attackers = SigningKey(token()), SigningKey(token()), SigningKey(token())
        self.old.publish(self.folder)
        self.new.publish(self.folder)
        self.verifier = attempt.get("Verifier")(
            self.folder, issuer=self.issuer.issuer, audience=self.issuer.audience, revoked=self.revoked
        )
        self.good_ones()
        self.attacks()
        self.rotating()
        self.revoking()
        self.refresh_tokens()
        self.used_twice()

    def claims(self, **others: Any) -> dict[str, Any]:
        return self.issuer.claims(self.attempt.token(), self.attempt.token(), **others)

    def outcome(self, token: str) -> str:
        return outcome(self.attempt, lambda: self.verifier.verify(token))

    def good_ones(self) -> None:
        audience = self.issuer.audience
        for key in (self.old, self.new):
            said = [
                self.claims(),
                self.claims(aud=["another-service", audience]),
                self.claims(role="teacher"),
            ]
            got = [self.read(key.sign(claims)) for claims in said]
            self.findings.equal(
                f"claims of good tokens, with the {'older' if key is self.old else 'newer'} key",
                got, said, step="Take each token that a key in the folder signed, and return its claims.",
            )  # fmt: skip

    def read(self, token: str) -> object:
        """The claims, or that it was refused."""
        try:
            return self.verifier.verify(token)
        except self.attempt.get("Refused"):
            return REFUSED

    def attacks(self) -> None:
        good = self.claims()
        lists: dict[str, Mapping[str, str]] = {
            "forged tokens": forgeries(self.old, self.attackers, good),
            "tokens whose kid leads out of the folder": traversals(self.folder, self.attackers, good),
            "tokens for somebody else, or for another time": misdirected(
                self.new, self.issuer, self.attempt.token(), self.attempt.token()
            ),
            "malformed tokens": malformed(self.old, good),
        }
        found = {
            name: {what: self.outcome(each) for what, each in one.items()} for name, one in lists.items()
        }
        with self.findings.together():
            for name, outcomes in found.items():
                self.refused(name, outcomes, TAKEN, f"{name} that were taken", STEPS[name])
        with self.findings.together():
            for name, outcomes in found.items():
                step = (
                    "Catch what a malformed token makes go wrong, and raise Refused: it is a 401, not a 500."
                )
                self.refused(name, outcomes, "", f"{name} that met another error than Refused", step)

    def refused(self, name: str, outcomes: Mapping[str, str], kind: str, what: str, step: str) -> None:
        """Of these, none was `kind`; without a kind, none was anything but refused."""
        wrong = [
            (attack, said) for attack, said in outcomes.items() if (said == kind if kind else said != REFUSED)
        ]
        self.findings.equal(
            f"{what}, of {len(outcomes)}", len(wrong), 0, evidence=Table([name, "outcome"], wrong), step=step
        )

    def rotating(self) -> None:
        """A third key comes, the first one goes, while the verifier is in use."""
        third, said = SigningKey(self.attempt.token()), self.claims()
        tokens = {
            name: key.sign(said) for name, key in (("new", third), ("other", self.new), ("old", self.old))
        }
        third.publish(self.folder)
        after_one_came = [self.outcome(tokens[name]) for name in ("new", "other", "old")]
        self.old.withdraw(self.folder)
        after_one_went = [self.outcome(tokens[name]) for name in ("new", "other", "old")]
        step = "Look into the folder when a token comes, not once at the start."
        with self.findings.together():
            self.findings.equal(
                "tokens of a key that has just come, and of two that stay", after_one_came,
                [TAKEN, TAKEN, TAKEN], step=step,
            )  # fmt: skip
            self.findings.equal(
                "tokens of two keys that are there, and of one that has just gone", after_one_went,
                [TAKEN, TAKEN, REFUSED], step=step,
            )  # fmt: skip

    def revoking(self) -> None:
        said, other = self.claims(), self.claims()
        tokens = [self.new.sign(said), self.new.sign({**said, "iat": said["iat"] - 1}), self.new.sign(other)]
        before = [self.outcome(token) for token in tokens]
        self.revoked.add(said["sid"])
        after = [self.outcome(token) for token in tokens]
        self.findings.equal(
            "two tokens of a login, and one of another, before and after the first login is revoked",
            [before, after], [[TAKEN] * 3, [REFUSED, REFUSED, TAKEN]],
            step="A signature stays good for ever: ask each time whether the login, sid, is in self.revoked.",
        )  # fmt: skip

    def refreshes(self, store: dict[str, Any]) -> Any:
        return self.attempt.get("Refreshes")(store, self.revoked)

    def refresh_tokens(self) -> None:
        store: dict[str, Any] = {}
        refreshes, sid = self.refreshes(store), self.attempt.token()
        first = refreshes.begin(sid)
        second = refreshes.rotate(first)
        third = self.refreshes(store).rotate(second)  # as another gateway would
        held = json.dumps(store, default=lambda each: repr(getattr(each, "__dict__", each)), skipkeys=False)
        seen = [each for each in (first, second, third) if each in held or each in repr(store)]
        with self.findings.together():
            self.findings.equal(
                "different refresh tokens among three of a login", len({first, second, third}), 3,
                step="Give back a new one each time.",
            )  # fmt: skip
            self.findings.equal(
                "refresh tokens that stand in the store as they are", len(seen), 0,
                step="Keep sha256 of a token, and look it up by that: who reads the store gets none.",
            )  # fmt: skip
            self.findings.at_least(
                "letters of a refresh token", min(len(each) for each in (first, second, third)), LEAST_LENGTH,
                step="Draw 256 random bits: secrets.token_urlsafe(32).",
            )  # fmt: skip
        self.findings.equal(
            "refresh tokens that could be foretold", self.foretold(), 0,
            step="Draw it with secrets, which no seed repeats: neither from what is known nor from random.",
        )  # fmt: skip
        strange = [
            outcome(self.attempt, partial(refreshes.rotate, each)) for each in ("", "x", sid, "€" * 40)
        ]
        self.findings.equal(
            "refresh tokens that nobody was given", strange, [REFUSED] * 4, step="Raise Refused for them."
        )
        self.findings.equal(
            "the login's newest refresh token after those",
            outcome(self.attempt, lambda: refreshes.rotate(third)), TAKEN,
            step="A token that was never given out says nothing of any login.",
        )  # fmt: skip

    def foretold(self) -> int:
        """Tokens that come again when everything but the system's own randomness does."""
        drawn: list[set[str]] = []
        sids = [self.attempt.token() for _ in range(DRAWN)]
        for _ in range(2):
            random.seed(1)
            refreshes = self.refreshes({})
            drawn.append({refreshes.begin(sid) for sid in sids})
        random.seed()
        return len(drawn[0] & drawn[1])

    def used_twice(self) -> None:
        """A thief and the owner have the same token; either may come first."""
        store: dict[str, Any] = {}
        refreshes, gateway = self.refreshes(store), self.refreshes(store)
        stolen, other = self.claims(), self.claims()
        first, others = refreshes.begin(stolen["sid"]), refreshes.begin(other["sid"])
        newest = gateway.rotate(refreshes.rotate(first))
        got = {
            "the old one again": outcome(self.attempt, lambda: gateway.rotate(first)),
            "the newest after it": outcome(self.attempt, lambda: refreshes.rotate(newest)),
            "that login's access token": self.outcome(self.new.sign(stolen)),
            "another login's refresh token": outcome(self.attempt, lambda: refreshes.rotate(others)),
            "another login's access token": self.outcome(self.new.sign(other)),
        }
        wanted = dict(zip(got, [REFUSED, REFUSED, REFUSED, TAKEN, TAKEN], strict=True))
        rows = [(what, said, wanted[what]) for what, said in got.items()]
        self.findings.equal(
            "after a refresh token was used a second time: wrong outcomes of five",
            sum(said != right for _, said, right in rows), 0,
            evidence=Table(["then comes", "outcome", "wanted"], rows),
            step="Nobody can say who the thief is: add the login's id to self.revoked, and refuse all of its"
            " refresh tokens from then on.",
        )  # fmt: skip


STEPS = {
    "forged tokens": "Say here which algorithm and key count; the header is the attacker's to write.",
    "tokens whose kid leads out of the folder": "Look the kid up among the names that are in the folder.",
    "tokens for somebody else, or for another time": "A good signature says who wrote a token, not whom it is"
    " for: demand each of the CLAIMS, and look at iss, aud, nbf and exp.",
    "malformed tokens": "Take nothing that is no token.",
}


def outcome(attempt: Attempt, act: Callable[[], object]) -> str:
    """Taken, refused, or the error it met instead."""
    try:
        act()
    except attempt.get("Refused"):
        return REFUSED
    except Exception as error:
        return f"{type(error).__name__}"
    return TAKEN
