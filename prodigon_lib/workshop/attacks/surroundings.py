"""Attacks on what is around the routes: API7, API8 and API10."""

import asyncio
import contextlib

from prodigon_lib.workshop.attacks.attack import Attack, attack
from prodigon_lib.workshop.attacks.objects import SESSIONS, laid_out
from prodigon_lib.workshop.attacks.raider import Answer, Raider
from prodigon_lib.workshop.attacks.risks import Risk

FOREIGN = "https://evil.example"
INTERNAL = (
    "Traceback",
    'File "',
    "sqlalchemy",
    "asyncpg",
    "postgresql://",
    "redis://",
    "SELECT ",
    "/prodigon_lib/",
)
BROKEN = (b"{", b"\xff\xfe", b"[]", b'{"prompt": null}', b'{"prompt": "\\ud800"}', b'{"prompt": "\\u0000"}',
          b'{"prompt": "x", "temperature": NaN}', b'{"prompt": "x", "max_tokens": 1e400}')  # fmt: skip


@attack(Risk.REQUEST_FORGERY, "have the inside fetched")
async def fetch_inside(raider: Raider) -> bool:
    """Something behind the gateway asks a listener on this machine, since a message names its URL."""
    reached = asyncio.Event()

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/latest/meta-data"
    image = {"type": "image_url", "image_url": {"url": url}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}]
    async with server:
        await raider.ask("POST", "/v1/chat/completions", {"model": "any", "messages": messages})
        await raider.ask(
            "POST", "/api/v1/generate", {"prompt": f"Open {url}", "webhook": url, "callback_url": url}
        )
        await raider.ask("GET", f"/api/v1/auth/oidc/login?issuer={url}&next={url}")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reached.wait(), 0.2)
    return reached.is_set()


@attack(Risk.MISCONFIGURATION, "a script of another site")
async def foreign_origin(raider: Raider) -> bool:
    """An origin that nobody has listed may read the answers."""
    answers = [
        await raider.ask("GET", SESSIONS, headers={"Origin": FOREIGN}),
        await raider.ask("GET", SESSIONS, headers={"Origin": "null"}),
        await raider.ask(
            "OPTIONS", SESSIONS, headers={"Origin": FOREIGN, "Access-Control-Request-Method": "POST"}
        ),
    ]
    allowed = {answer.headers.get("access-control-allow-origin") for answer in answers}
    return bool(allowed & {FOREIGN, "null", "*"})


@attack(Risk.MISCONFIGURATION, "another host's name")
async def forged_host(raider: Raider) -> bool:
    """A request for `evil.example` is answered: links and caches may carry that name on."""
    return (await raider.ask("GET", "/v1/models", headers={"Host": "evil.example"})).ok


@attack(Risk.MISCONFIGURATION, "an answer that a browser may guess at")
async def no_headers(raider: Raider) -> bool:
    """Answers lack the headers that keep a browser from sniffing, framing and keeping them."""
    answer = await raider.ask("GET", SESSIONS)
    framed = "frame-ancestors" in answer.headers.get("content-security-policy", "")
    kept_out = framed or "x-frame-options" in answer.headers
    return answer.headers.get("x-content-type-options", "") != "nosniff" or not kept_out


@attack(Risk.MISCONFIGURATION, "errors that tell of the inside")
async def telling_errors(raider: Raider) -> bool:
    """A broken request is a 5xx, or its answer has a trace, a statement or a place of the inside in it."""
    answers = [await raider.ask("POST", "/api/v1/generate", body) for body in BROKEN]
    answers += [await raider.ask("GET", f"{SESSIONS}/{odd}") for odd in ("'", "%00", "1 OR 1=1", "x" * 2000)]
    return any(answer.status >= 500 or told(answer) for answer in answers)


@attack(Risk.MISCONFIGURATION, "a search that is more than one")
async def injected_search(raider: Raider) -> bool:
    """A search with a statement in it finds more than a search for a word that stands nowhere."""
    none = await raider.ask("GET", f"{SESSIONS}?q={raider.word()}")
    odd = [
        await raider.ask("GET", f"{SESSIONS}?q={text}")
        for text in ("zz' OR '1'='1", "zz%25' OR 1=1 --", "%25%25%25zz_", "zz\\")
    ]
    return any(answer.status >= 500 or (answer.ok and answer.text != none.text) for answer in odd)


@attack(Risk.UPSTREAM, "text that a browser would run")
async def markup(raider: Raider) -> bool:
    """A script in a kept text comes back as something that a browser takes for a page."""
    session = await laid_out(raider, SESSIONS, {"title": "<script>alert(1)</script>"}, "id")
    answer = await raider.ask("GET", f"{SESSIONS}/{session}", who="victim")
    return "json" not in answer.headers.get("content-type", "")


@attack(Risk.UPSTREAM, "lines in a header")
async def split_header(raider: Raider) -> bool:
    """A request's id with a line break or a control sign in it comes back as it was."""
    odd = "abc%0d%0aSet-Cookie: a=b \x1b[31m"
    answer = await raider.ask("GET", "/v1/models", headers={"X-Request-ID": odd})
    return answer.headers.get("x-request-id") == odd or "set-cookie" in answer.headers


def told(answer: Answer) -> bool:
    return any(each in answer.text for each in INTERNAL)


ATTACKS: tuple[Attack, ...] = (
    fetch_inside, foreign_origin, forged_host, no_headers, telling_errors, injected_search, markup,
    split_header,
)  # fmt: skip
