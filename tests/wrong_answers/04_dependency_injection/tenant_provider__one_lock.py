# fails: requests of 6 tenants while another's client is still opening
import asyncio
from collections import defaultdict
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
    # The key is the whole tenant: a changed one is another value, and finds no old client. Each has a lock
    # of its own, so nobody waits for another. Tasks in the dictionary would do as well, if one that failed
    # is taken out again.
    async with request.app.state.opening["all"]:
        clients: dict[Tenant, Client] = request.app.state.clients
        if tenant not in clients:
            clients[tenant] = await request.app.state.open_client(tenant)
        return clients[tenant]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.clients = {}
    app.state.opening = defaultdict(asyncio.Lock)
    yield
    for client in app.state.clients.values():
        await client.close()


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
    # A copy of the whole, for a key may have been overridden before; unittest.mock.patch.dict does the same.
    before = dict(app.dependency_overrides)
    app.dependency_overrides.update(replacements)
    try:
        yield
    finally:
        app.dependency_overrides.clear()
        app.dependency_overrides.update(before)
