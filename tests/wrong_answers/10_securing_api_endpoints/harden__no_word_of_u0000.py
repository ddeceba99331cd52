# fails: hostile bodies
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, Field
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse

from prodigon_lib.workshop.lessons.lesson_10_securing_api_endpoints.network import Network

Model = Callable[[str, int, float], Awaitable[str]]

MOST_TEXTS, MOST_CHARACTERS, MOST_TOKENS, HOTTEST = 8, 4000, 500, 2.0
SECONDS = 1.0
NO_PAGE = "the url leads to no public page"


def whole(text: str) -> str:
    text.encode()
    return text


Text = Annotated[str, Field(max_length=MOST_CHARACTERS), AfterValidator(whole)]


class Question(BaseModel):
    texts: list[Text] = Field(max_length=MOST_TEXTS)
    max_tokens: int = Field(default=100, ge=1, le=MOST_TOKENS)
    temperature: float = Field(default=0.0, ge=0, le=HOTTEST, allow_inf_nan=False)


class Link(BaseModel):
    url: str


async def fetched(network: Network, url: str) -> str:
    try:
        parts = urlsplit(url)
        addresses = await network.lookup(parts.hostname or "")
        if parts.scheme not in ("http", "https") or not all(map(is_public, addresses)):
            raise ValueError(url)
        page = await network.get(url, addresses[0])
        text = whole(page.text[:MOST_CHARACTERS])
    except (OSError, ValueError):
        raise HTTPException(422, NO_PAGE) from None
    if page.location:
        raise HTTPException(422, NO_PAGE)
    return text


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
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        fields = sorted({str(part) for each in error.errors() for part in each["loc"][1:2]})
        return JSONResponse({"detail": f"not as it should be: {', '.join(fields) or 'the body'}"}, 422)

    @app.post("/summaries")
    async def summaries(question: Question) -> dict[str, list[str]]:
        most, heat = question.max_tokens, question.temperature
        return {"summaries": [await ask(text, most, heat) for text in question.texts]}

    @app.post("/pages")
    async def pages(link: Link) -> dict[str, str]:
        return {"summary": await ask(await fetched(network, link.url), 100, 0.0)}

    return app
