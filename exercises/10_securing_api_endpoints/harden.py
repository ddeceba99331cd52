"""Exercise 10.3: harden a service.

It summarises texts, and pages that it fetches. For callers who mean well it works. Done when

- no input makes it answer with a 5xx, U+0000 and half a surrogate pair included, which the model can't take;
- what is beyond a ceiling below is refused before the model is called, or cut where a page is too long;
- `url` leads to public addresses alone, by http or https: not inside by a name, by an odd way to write an
  address, by a redirect, or by a name whose address changes between two looks;
- scripts of the listed origins may read the answers, others may not;
- a fault of the model is a 5xx that says nothing of the inside, and a call that hangs is a 504 after SECONDS.
"""

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
"""Asked with a text, `max_tokens` and a temperature."""

MOST_TEXTS, MOST_CHARACTERS, MOST_TOKENS, HOTTEST = 8, 4000, 500, 2.0
SECONDS = 1.0
NO_PAGE = "the url leads to no public page"


# TODO Give each field its ceiling, and the texts what the model can take: whole Unicode, without U+0000.
class Question(BaseModel):
    texts: list[str]
    max_tokens: int = 100
    temperature: float = 0.0


class Link(BaseModel):
    url: str


async def fetched(network: Network, url: str) -> str:
    """The text behind a URL that somebody else has chosen.

    Raises:
        HTTPException: 422, when it leads to no public page.
    """
    # TODO Look at the scheme and at each address, and ask the address that you have looked at.
    page = await network.get(url)
    while page.location:
        page = await network.get(page.location)
    return page.text


def create_app(model: Model, network: Network, origins: Sequence[str]) -> FastAPI:
    app = FastAPI()

    # TODO Let the listed origins in, and no fault out. A 422 that repeats what came may be a fault itself.
    app.add_middleware(CORSMiddleware, allow_origin_regex=".*", allow_methods=["POST"])

    async def ask(text: str, max_tokens: int, temperature: float) -> str:
        return await model(text, max_tokens, temperature)

    @app.exception_handler(Exception)
    async def fault(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": f"{type(error).__name__}: {error}"}, 500)

    @app.post("/summaries")
    async def summaries(question: Question) -> dict[str, list[str]]:
        most, heat = question.max_tokens, question.temperature
        return {"summaries": [await ask(text, most, heat) for text in question.texts]}

    @app.post("/pages")
    async def pages(link: Link) -> dict[str, str]:
        return {"summary": await ask(await fetched(network, link.url), 100, 0.0)}

    return app
