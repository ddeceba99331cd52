"""Harden a service."""

from collections import Counter

from prodigon_lib.workshop.asgi import Reply, started
from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_10_securing_api_endpoints.hostile import bodies
from prodigon_lib.workshop.lessons.lesson_10_securing_api_endpoints.network import Page
from prodigon_lib.workshop.lessons.lesson_10_securing_api_endpoints.small_world import (
    INSIDE,
    CountedModel,
    SmallWorld,
)
from prodigon_lib.workshop.table import Table

HINTS = (
    "Ceilings belong into the types: Field takes max_length, ge and le, an annotated str its own, and a"
    " validator looks at what the model can't take. Then nothing of a refused request is ever run. FastAPI's"
    " own 422 repeats the input: can that always be written as JSON?",
    "For a URL: scheme, then lookup, then ip_address(each).is_global (unpack ipv4_mapped first), then get"
    " with the address that you have looked at. What lookup and urlsplit raise is a 422, and a redirect is"
    " one, too. For origins, list them.",
    "Answer RequestValidationError yourself, with the names of fields alone. Around the model:"
    " asyncio.timeout and 504, any other Exception 502, each with a text of your own. In CORSMiddleware, list"
    " allow_origins. In fetched, catch OSError and ValueError around it all.",
)
LISTED = "https://app.example"
DRAWN = 200
PUBLIC = "93.184.215.14"
SLOW = 3.0
INTERNAL = ("Traceback", 'File "', "Error(", "RuntimeError", "postgresql", ".py", "10.0.3.7")
MISSPELT = ("127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "169.254.43518", "0")
"""Addresses inside, as the system's look-up takes them too."""


class HardenCheck(Check):
    seconds = 25

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        self.attempt, self.findings = attempt, findings
        self.model, self.world = CountedModel(), SmallWorld(attempt.token(24))
        self.most_texts, self.most_characters, self.most_tokens = (
            int(attempt.get(name)) for name in ("MOST_TEXTS", "MOST_CHARACTERS", "MOST_TOKENS")
        )
        app = attempt.get("create_app")(self.model, self.world, [LISTED])
        async with started(app) as self.service:
            await self.means_well()
            await self.ceilings()
            await self.inside()
            await self.hostile()
            await self.origins()
            await self.faults()
            await self.hangs()

    async def summarise(self, **fields: object) -> Reply:
        return await self.service.ask("POST", "/summaries", {"texts": ["a text"], **fields})

    async def page(self, url: str) -> Reply:
        return await self.service.ask("POST", "/pages", {"url": url})

    async def means_well(self) -> None:
        draw, token = self.attempt.random, self.attempt.token
        texts = [token(draw.randint(1, self.most_characters)) for _ in range(self.most_texts)]
        texts[0] = "ü" * self.most_characters
        summaries = await self.summarise(texts=texts, max_tokens=self.most_tokens, temperature=2.0)
        text = token()
        page = await self.page(self.add(Page(200, text), [PUBLIC]))
        wanted = [(200, [f"{len(text)} characters" for text in texts]), (200, f"{len(text)} characters")]
        self.findings.equal(
            "what callers get who mean well, up to each ceiling",
            [(summaries.status, content(summaries, "summaries")), (page.status, content(page, "summary"))],
            wanted, step="Leave what is right alone: the ceilings themselves are allowed, and public pages.",
        )  # fmt: skip

    async def ceilings(self) -> None:
        long, few = "x" * (self.most_characters + 1), self.most_texts - 1
        beyond: dict[str, dict[str, object]] = {
            "a text too long": {"texts": [long]},
            "the last text too long": {"texts": ["x"] * few + [long]},
            "one text too many": {"texts": ["x"] * (self.most_texts + 1)},
            "ten thousand texts": {"texts": ["x"] * 10_000},
            "max_tokens too many": {"max_tokens": self.most_tokens + 1},
            "max_tokens of a million": {"max_tokens": 10**6},
            "max_tokens of 0": {"max_tokens": 0},
            "max_tokens below 0": {"max_tokens": -5},
            "too hot": {"temperature": 2.1},
        }
        wrong = []
        for name, fields in beyond.items():
            before = len(self.model.asked)
            reply = await self.summarise(**fields)
            if refused(reply) and len(self.model.asked) == before:
                continue
            wrong.append((name, reply.status, len(self.model.asked) - before))
        self.findings.equal(
            f"of {len(beyond)} requests beyond a ceiling, those not refused before the model", len(wrong), 0,
            evidence=Table(["request", "answer", "model calls"], wrong),
            step="Look at all of a request before the first call, best of all in the types.",
        )  # fmt: skip
        url = self.add(Page(200, "y" * 500_000), [PUBLIC])
        await self.page(url)
        self.findings.at_most(
            "characters of the longest text that the model was asked with",
            max(len(text) for text, _ in self.model.asked), self.most_characters,
            step="What a page says is input as well: cut it, or refuse it.",
        )  # fmt: skip

    def add(self, page: Page, *addresses: list[str]) -> str:
        """The URL of a page on a host of its own."""
        return self.world.add(f"{self.attempt.token()}.example", page, *addresses)

    def ways_inside(self) -> dict[str, str]:
        """URLs that lead inside, by how they do."""
        ways = {f"the address {a}": f"http://{f'[{a}]' if ':' in a else a}/latest/" for a in INSIDE}
        ways |= {f"the address {a}": f"http://{a}/" for a in MISSPELT}
        ways["an address after a user's name"] = "http://public.example@127.0.0.1/"
        ways["a file"] = "file:///etc/passwd"
        ways["another scheme"] = "gopher://127.0.0.1:6379/_FLUSHALL"
        for address in INSIDE:
            ways[f"a name for {address}"] = self.add(Page(200), [address])
        ways["a name with a second address"] = self.add(Page(200), [PUBLIC, "10.1.2.3"])
        ways["a name with a public second"] = self.add(Page(200), ["10.1.2.3", PUBLIC])
        for looks in (1, 2, 3):
            turns = [[PUBLIC]] * looks + [["127.0.0.1"]]
            ways[f"a name that is another after {looks} look-ups"] = self.add(Page(200, "x"), *turns)
        for place in ("http://127.0.0.1/", "http://169.254.169.254/latest/", "file:///etc/passwd"):
            page = Page(302, "", place)
            ways[f"a redirect to {place}"] = first = self.add(page, [PUBLIC])
            ways[f"two redirects to {place}"] = self.add(Page(302, "", first), [PUBLIC])
        return ways

    async def inside(self) -> None:
        wrong = []
        ways = self.ways_inside()
        for name, url in ways.items():
            self.world.reached.clear()
            reply = await self.findings.finishes(
                name, self.page(url), within=SLOW, step="Follow redirects for a few steps, or not at all."
            )
            if self.world.reached or reply.status >= 500 or reply.status == 0:
                wrong.append((name, reply.said[:60], ", ".join(self.world.reached)[:60]))
        self.findings.equal(
            f"of {len(ways)} URLs that lead inside, those that were asked", len(wrong), 0,
            evidence=Table(["url", "answer", "asked"], wrong[:6]),
            step="Look each host up once, look at its addresses, and connect to what you have looked at.",
        )  # fmt: skip

    async def hostile(self) -> None:
        codes: Counter[int] = Counter()
        failed = []
        odd_pages = [self.add(Page(200, text), [PUBLIC]) for text in ("a\0b", "half a pair: \ud800")]
        for path, body, kind in bodies(self.attempt.random, DRAWN, odd_pages):
            reply = await self.service.ask("POST", path, body, headers={"content-type": kind})
            codes[reply.status] += 1
            if reply.status >= 500 or reply.status == 0:
                failed.append((path, body[:70].decode("latin-1"), kind, reply.said[:80]))
        self.findings.equal(
            f"of {codes.total()} hostile bodies, those that were answered with a 5xx", len(failed), 0,
            evidence=Table(["path", "body begins", "content type", "answer"], failed[:6]),
            step="Refuse such input with a 4xx of your own. Look at the evidence: even the refusal may fail.",
        )  # fmt: skip

    async def origins(self) -> None:
        foreign = [
            "https://evil.example", "null", "http://app.example", "https://app.example.evil.example",
            "https://evilapp.example", "https://app.example:8443", "https://app-example", "https://x.app.example",
            f"https://{self.attempt.token()}.example",
        ]  # fmt: skip
        wrong = [(origin, seen) for origin in foreign if (seen := await self.allowed(origin)) & {origin, "*"}]
        with self.findings.together():
            self.findings.equal(
                "what a script of the listed origin is allowed", await self.allowed(LISTED), {LISTED},
                step="Allow the origins that you are given, for POST and for its preflight.",
            )  # fmt: skip
            self.findings.equal(
                f"of {len(foreign)} other origins, those that may read answers", len(wrong), 0,
                evidence=Table(["origin", "allowed"], wrong[:5]),
                step="Compare an origin as a whole with each that is listed: no pattern, no part, no `*`.",
            )  # fmt: skip

    async def allowed(self, origin: str) -> set[str]:
        """The origins that the answers to a POST and its preflight allow."""
        asks = {"origin": origin, "access-control-request-method": "POST",
                "access-control-request-headers": "content-type"}  # fmt: skip
        before = await self.service.ask("OPTIONS", "/summaries", headers=asks)
        reply = await self.service.ask("POST", "/summaries", {"texts": ["x"]}, headers={"origin": origin})
        return {each.headers.get("access-control-allow-origin", "nobody") for each in (before, reply)}

    async def faults(self) -> None:
        """The model and the network raise with texts that tell of the inside."""
        word = self.attempt.token(16)
        said = f"postgresql://gateway:{word}@10.0.3.7/prodigon refused the connection"
        url = self.add(Page(200, "x"), [PUBLIC])
        self.model.fault = RuntimeError(said)
        replies = [await self.summarise(), await self.page(url)]
        self.model.fault, self.world.fault = None, OSError(said)
        aside = await self.page(url)
        self.world.fault = None
        told = [(reply.status, text) for reply in (*replies, aside) if (text := leak(reply, word))]
        with self.findings.together():
            self.findings.equal(
                "answers to a fault that say something of the inside", len(told), 0,
                evidence=Table(["answer", "body"], told),
                step="Answer with a text of your own; what was raised is for the log.",
            )  # fmt: skip
            self.findings.equal(
                "answers to a model's fault that are no 5xx",
                sum(not 500 <= reply.status < 600 for reply in replies), 0,
                step="It was not the caller's fault: 502 says who failed.",
            )  # fmt: skip

    async def hangs(self) -> None:
        self.model.hangs = True
        within = float(self.attempt.get("SECONDS")) + SLOW
        step = "Give each call of the model its time, with asyncio.timeout; 504 says that it was over."
        for name, request in (("a text", self.summarise()), ("a page", self.page(f"http://{PUBLIC}/"))):
            reply = await self.findings.finishes(
                f"{name}, when the model hangs", request, within=within, step=step
            )
            self.findings.equal(f"the answer to {name}, when the model hangs", reply.status, 504, step=step)


def content(reply: Reply, name: str) -> object:
    return reply.json().get(name) if reply.status == 200 else reply.said


def refused(reply: Reply) -> bool:
    return 400 <= reply.status < 500


def leak(reply: Reply, word: str) -> str:
    """The body, when it holds what only the inside knows; text that a caller could not have sent."""
    text = reply.body.decode(errors="replace")
    return text[:200] if any(each in text for each in (word, *INTERNAL)) else ""
