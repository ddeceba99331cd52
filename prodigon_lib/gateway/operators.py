"""What operators see and change: accounts and the audit log; teachers see who the learners are.

Imported only where accounts are on.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from prodigon_lib.core.errors import Conflict
from prodigon_lib.core.ids import UserId
from prodigon_lib.core.schemas.accounts import AccountUpdate, AccountUseView, AccountView, AuditView
from prodigon_lib.gateway.accounts import From, On, account_view
from prodigon_lib.gateway.dependencies import (
    DEFAULT_PAGE,
    NEXT_CURSOR,
    NEXT_CURSOR_HEADER,
    Bound,
    Caller,
    Cursor,
    PageLimit,
)
from prodigon_lib.persistence.accounts import AccountUse
from prodigon_lib.persistence.audit import AuditRepository
from prodigon_lib.security.audit import AuditEvent, Outcome

router = APIRouter(prefix="/api/v1", tags=["operators"])

OfEvent = Annotated[AuditEvent | None, Query(description="Only these")]
OfOutcome = Annotated[Outcome | None, Query(description="Only what ended so")]
OfActor = Annotated[UUID | None, Query(description="Only what this user's credentials did")]


@router.get("/accounts", responses={200: {"headers": NEXT_CURSOR}})
async def list_accounts(
    response: Response,
    caller: Caller,
    bound: Bound,
    accounts: On,
    limit: PageLimit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> list[AccountUseView]:
    """Accounts and how much each is used, newest first: all for an operator, the learners' for a teacher."""
    page = await accounts.page(caller, limit=limit, cursor=cursor)
    if page.next_cursor is not None:
        response.headers[NEXT_CURSOR_HEADER] = page.next_cursor
    return [use_view(use, counted=bound.quotas is not None) for use in page.accounts]


@router.patch("/accounts/{user_id}")
async def change_account(
    user_id: UUID, changes: AccountUpdate, caller: Caller, accounts: On, origin: From
) -> AccountView:
    """Another role, or whether it may log in at all; within seconds for tokens and keys that are out."""
    return account_view(
        await accounts.change(caller, UserId(user_id), origin, role=changes.role, disabled=changes.disabled)
    )


@router.get("/audit", responses={200: {"headers": NEXT_CURSOR}})
async def read_audit_log(
    response: Response,
    bound: Bound,
    limit: PageLimit = DEFAULT_PAGE,
    cursor: Cursor = None,
    event: OfEvent = None,
    outcome: OfOutcome = None,
    actor: OfActor = None,
) -> list[AuditView]:
    """Who did what, and what was denied; newest first."""
    if bound.database is None:
        raise Conflict("this gateway has no database of its own")
    page = await AuditRepository(bound.database).page(
        limit=limit, cursor=cursor, event=event, outcome=outcome, actor=actor
    )
    if page.next_cursor is not None:
        response.headers[NEXT_CURSOR_HEADER] = page.next_cursor
    return [AuditView.model_validate(record, from_attributes=True) for record in page.records]


def use_view(use: AccountUse, *, counted: bool) -> AccountUseView:
    account = account_view(use.account).model_dump()
    return AccountUseView(**account, tokens_today=use.tokens if counted else None, chats=use.chats)
