"""Exercise 10.3: harden a service.

It summarises texts, and pages that it fetches. For callers who mean well it works. Done when

- no input makes it answer with a 5xx, U+0000 and half a surrogate pair included, which the model can't take;
- what is beyond a ceiling below is refused before the model is called, or cut where a page is too long;
- `url` leads to public addresses alone, by http or https: not inside by a name, by an odd way to write an
  address, by a redirect, or by a name whose address changes between two looks;
- scripts of the listed origins may read the answers, others may not;
- a fault of the model is a 5xx that says nothing of the inside, and a call that hangs is a 504 after SECONDS.
"""

# <solution>
import asyncio

# </solution>
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


# <gap> Give each field its ceiling, and the texts what the model can take: whole Unicode, without U+0000.
# | class Question(BaseModel):
# |     texts: list[str]
# |     max_tokens: int = 100
# |     temperature: float = 0.0
# |
# |
def whole(text: str) -> str:
    text.encode()  # half a pair: UnicodeEncodeError, which is a ValueError and so a 422
    if "\0" in text:
        raise ValueError("U+0000 is in no text")
    return text


# In the types, so that FastAPI looks before a route runs. A dependency that looks would do as well.
Text = Annotated[str, Field(max_length=MOST_CHARACTERS), AfterValidator(whole)]


class Question(BaseModel):
    texts: list[Text] = Field(max_length=MOST_TEXTS)
    max_tokens: int = Field(default=100, ge=1, le=MOST_TOKENS)
    temperature: float = Field(default=0.0, ge=0, le=HOTTEST, allow_inf_nan=False)


# </gap>
class Link(BaseModel):
    url: str


async def fetched(network: Network, url: str) -> str:
    """The text behind a URL that somebody else has chosen.

    Raises:
        HTTPException: 422, when it leads to no public page.
    """
    # <gap> Look at the scheme and at each address, and ask the address that you have looked at.
    # | page = await network.get(url)
    # | while page.location:
    # |     page = await network.get(page.location)
    # | return page.text
    try:
        parts = urlsplit(url)
        addresses = await network.lookup(parts.hostname or "")
        if parts.scheme not in ("http", "https") or not all(map(is_public, addresses)):
            raise ValueError(url)
        # This very address: a second look-up may say another. A proxy for all that goes out could look, too.
        page = await network.get(url, addresses[0])
        text = whole(page.text[:MOST_CHARACTERS])
    except (OSError, ValueError):  # UnicodeError is a ValueError
        raise HTTPException(422, NO_PAGE) from None
    if page.location:  # to follow it is to do all of this again, for so many steps
        raise HTTPException(422, NO_PAGE)
    return text
    # </gap>


# <solution>
def is_public(address: str) -> bool:
    found = ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_global and not found.is_multicast


# </solution>
def create_app(model: Model, network: Network, origins: Sequence[str]) -> FastAPI:
    app = FastAPI()

    # <gap> Let the listed origins in, and no fault out. A 422 that repeats what came may be a fault itself.
    # | app.add_middleware(CORSMiddleware, allow_origin_regex=".*", allow_methods=["POST"])
    # |
    # | async def ask(text: str, max_tokens: int, temperature: float) -> str:
    # |     return await model(text, max_tokens, temperature)
    # |
    # | @app.exception_handler(Exception)
    # | async def fault(_: Request, error: Exception) -> JSONResponse:
    # |     return JSONResponse({"detail": f"{type(error).__name__}: {error}"}, 500)
    app.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["POST"], allow_headers=["*"])

    async def ask(text: str, max_tokens: int, temperature: float) -> str:
        try:
            # For one call. A deadline for the whole request, kept by a middleware, would bound all of it.
            async with asyncio.timeout(SECONDS):
                return await model(text, max_tokens, temperature)
        except TimeoutError:
            raise HTTPException(504, "the model takes too long") from None
        except Exception:  # its text goes into the log, with the request's id
            raise HTTPException(502, "the model does not answer") from None

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        fields = sorted({str(part) for each in error.errors() for part in each["loc"][1:2]})
        return JSONResponse({"detail": f"not as it should be: {', '.join(fields) or 'the body'}"}, 422)

    # </gap>

    @app.post("/summaries")
    async def summaries(question: Question) -> dict[str, list[str]]:
        most, heat = question.max_tokens, question.temperature
        return {"summaries": [await ask(text, most, heat) for text in question.texts]}

    @app.post("/pages")
    async def pages(link: Link) -> dict[str, str]:
        return {"summary": await ask(await fetched(network, link.url), 100, 0.0)}

    return app
