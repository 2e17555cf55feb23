"""One's own sign-ins and password."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field
from sqlalchemy.orm import Session

from backend.api.context import Caller, In, Me
from backend.api.schemas.base import Answer, Body
from backend.audit.errors import BadInput
from backend.store import accounts, activity
from backend.store.tables import Session as SignIn

router = APIRouter(prefix="/api", tags=["accounts"])

FRESH = timedelta(hours=1)
"""So long does a one-time code stand in for the password that its owner has forgotten."""
PASSWORD_CHARACTERS = 10
"""At least: guessing is slowed down, and there are no rules that make people write passwords down."""


class SessionAnswer(Answer):
    """A browser that is signed in."""

    id: str
    browser: str = Field(description="as it named itself")
    by_code: bool = Field(description="signed in by a one-time code, not by the password")
    created_at: datetime
    seen_at: datetime = Field(description="last used, to within minutes")
    expires_at: datetime
    current: bool = Field(description="the one that asks")


class SessionList(Answer):
    items: list[SessionAnswer]
    password_needed: bool = Field(description="to set another one; not soon after a one-time code")


class PasswordChange(Body):
    """`current` may be left out within an hour after signing in by a one-time code."""

    password: str = Field(min_length=PASSWORD_CHARACTERS, max_length=1024)
    current: str | None = Field(None, max_length=1024)


@router.get("/sessions")
def list_sessions(context: In, caller: Me) -> SessionList:
    """The browsers that are signed in to this account, the one used last first."""
    with context.database.transaction() as session:
        rows = accounts.list_sessions(session, caller.id)
        return SessionList(
            items=[_answer(row, caller) for row in rows],
            password_needed=not _fresh(session, rows, caller),
        )


@router.delete("/sessions", status_code=204)
def end_other_sessions(context: In, caller: Me) -> None:
    """Sign out every browser but the one that asks."""
    with context.database.transaction() as session:
        ended = accounts.end_sessions(session, caller.id, but=caller.way_id)
        activity.record(session, caller.id, "session.end_others", caller.id, ended=ended)


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(session_id: Annotated[str, Path(max_length=64)], context: In, caller: Me) -> None:
    """Sign one browser out."""
    with context.database.transaction() as session:
        accounts.revoke_session(session, caller.id, session_id)
        activity.record(session, caller.id, "session.end", session_id)


@router.put("/session/password", status_code=204)
def set_password(body: PasswordChange, context: In, caller: Me) -> None:
    """Set the account's password, and sign out every other browser."""
    with context.database.transaction() as session:
        rows = accounts.list_sessions(session, caller.id)
        if not _fresh(session, rows, caller):
            # Behind the same brake as signing in: somebody at an open browser guesses no faster.
            context.throttle.check(caller.id)
            if accounts.check_password(session, caller.name, body.current or "") is None:
                context.throttle.failed(caller.id)
                raise BadInput(
                    "PASSWORD_WRONG",
                    "This is not the account's password.",
                    hint="An admin can make a one-time code; an hour after it none is asked for.",
                    item="current",
                )
        accounts.set_password(session, caller.id, body.password)
        accounts.end_sessions(session, caller.id, but=caller.way_id)
        activity.record(session, caller.id, "account.password", caller.id)


def _fresh(session: Session, rows: list[SignIn], caller: Caller) -> bool:
    """Whether the browser that asks came by a one-time code a short while ago."""
    return any(
        row.id == caller.way_id and row.by_code and row.created_at > accounts.now(session) - FRESH
        for row in rows
    )


def _answer(row: SignIn, caller: Caller) -> SessionAnswer:
    return SessionAnswer(
        id=row.id,
        browser=row.browser,
        by_code=row.by_code,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        current=row.id == caller.way_id,
    )
