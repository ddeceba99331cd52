"""Exercise 4.3: a provider per tenant.

Many tenants share one service, and each has a key of its own.

Done when no reply in 1,000 interleaved requests was made with another tenant's key; when a tenant's client
is opened once, closed once at the end, and a new one used once the tenant's key has changed; when a tenant
whose client is slow to open, or fails to, harms nobody else and is tried again; and when `overridden`
leaves the overrides as it found them, whatever happens inside.
"""

# <solution>
import asyncio
from collections import defaultdict

# </solution>
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_04_dependency_injection.tenants import (
    Client,
    Directory,
    OpenClient,
    Tenant,
)


class Question(BaseModel):
    prompt: str


class Reply(BaseModel):
    tenant: str
    text: str


async def current_tenant(request: Request, x_tenant: Annotated[str, Header()]) -> Tenant:
    tenant: Tenant | None = await request.app.state.directory.find(x_tenant)
    if tenant is None:
        raise HTTPException(404, "no such tenant")
    return tenant


async def tenant_client(request: Request, tenant: Annotated[Tenant, Depends(current_tenant)]) -> Client:
    # <gap> Give each tenant a client of its own, opened when it first asks.
    # | state = request.app.state
    # | if "client" not in state.clients:
    # |     state.clients["client"] = await state.open_client(tenant)
    # | return state.clients["client"]
    # The key is the whole tenant: a changed one is another value, and finds no old client. Each has a lock
    # of its own, so nobody waits for another. Tasks in the dictionary would do as well, if one that failed
    # is taken out again.
    async with request.app.state.opening[tenant]:
        clients: dict[Tenant, Client] = request.app.state.clients
        if tenant not in clients:
            clients[tenant] = await request.app.state.open_client(tenant)
        return clients[tenant]
    # </gap>


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.clients = {}
    # <solution>
    app.state.opening = defaultdict(asyncio.Lock)
    # </solution>
    yield
    # <gap> Close every client.
    # | await app.state.clients["client"].close()
    for client in app.state.clients.values():
        await client.close()
    # </gap>


def create_app(directory: Directory, open_client: OpenClient) -> FastAPI:
    app = FastAPI(lifespan=lifespan)
    app.state.directory, app.state.open_client = directory, open_client

    @app.post("/ask")
    async def ask(
        question: Question,
        tenant: Annotated[Tenant, Depends(current_tenant)],
        client: Annotated[Client, Depends(tenant_client)],
    ) -> Reply:
        return Reply(tenant=tenant.name, text=await client.generate(question.prompt))

    return app


@contextmanager
def overridden(app: FastAPI, replacements: Mapping[Callable[..., Any], Callable[..., Any]]) -> Iterator[None]:
    """For a test: these overrides are in force within the block, beside those that are there already."""
    # <gap> Leave the overrides as they were, also after an error and around one another.
    # | app.dependency_overrides.update(replacements)
    # | yield
    # | app.dependency_overrides.clear()
    # A copy of the whole, for a key may have been overridden before; unittest.mock.patch.dict does the same.
    before = dict(app.dependency_overrides)
    app.dependency_overrides.update(replacements)
    try:
        yield
    finally:
        app.dependency_overrides.clear()
        app.dependency_overrides.update(before)
    # </gap>
