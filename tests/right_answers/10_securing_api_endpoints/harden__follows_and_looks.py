"""Follows redirects, looking at each; takes of several addresses a public one; puts a sign for U+0000."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urljoin, urlsplit

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, Field
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse

from prodigon_lib.workshop.lessons.lesson_10_securing_api_endpoints.network import Network, Page

Model = Callable[[str, int, float], Awaitable[str]]

MOST_TEXTS, MOST_CHARACTERS, MOST_TOKENS, HOTTEST = 8, 4000, 500, 2.0
SECONDS = 1.0
MOST_STEPS = 5


def whole(text: str) -> str:
    text.encode()
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


Text = Annotated[str, Field(max_length=MOST_CHARACTERS), AfterValidator(whole)]


class Question(BaseModel):
    texts: list[Text] = Field(max_length=MOST_TEXTS)
    max_tokens: int = Field(default=100, ge=1, le=MOST_TOKENS)
    temperature: float = Field(default=0.0, ge=0, le=HOTTEST, allow_inf_nan=False)


class Link(BaseModel):
    url: str


async def fetched(network: Network, url: str) -> str:
    for _ in range(MOST_STEPS):
        page = await public_page(network, url)
        if not page.location:
            return page.text.replace("\0", "").encode(errors="replace").decode()[:MOST_CHARACTERS]
        url = urljoin(url, page.location)
    raise HTTPException(400, "too many redirects")


async def public_page(network: Network, url: str) -> Page:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            for address in await network.lookup(parts.hostname):
                if is_public(address):
                    return await network.get(url, address)
    except (OSError, ValueError):
        pass
    raise HTTPException(400, "the url leads to no public page")


def is_public(address: str) -> bool:
    found = ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_global and not found.is_multicast


def create_app(model: Model, network: Network, origins: Sequence[str]) -> FastAPI:
    app = FastAPI()

    app.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["POST"], allow_headers=["*"])

    async def ask(text: str, max_tokens: int, temperature: float) -> str:
        try:
            async with asyncio.timeout(SECONDS):
                return await model(text, max_tokens, temperature)
        except TimeoutError:
            raise HTTPException(504, "the model takes too long") from None
        except Exception:
            raise HTTPException(502, "the model does not answer") from None

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, __: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": "some field is not as it should be"}, 422)

    @app.post("/summaries")
    async def summaries(question: Question) -> dict[str, list[str]]:
        most, heat = question.max_tokens, question.temperature
        return {"summaries": [await ask(text, most, heat) for text in question.texts]}

    @app.post("/pages")
    async def pages(link: Link) -> dict[str, str]:
        return {"summary": await ask(await fetched(network, link.url), 100, 0.0)}

    return app
