"""Accounts, sign-in and tokens as they travel over HTTP. No behaviour."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from backend.api.schemas.base import Answer, Body
from backend.audit.rights import AccountRole, Scope


class SignIn(Body):
    """Either the one-time code from the printed address, or a name and password."""

    code: str | None = Field(None, max_length=128)
    name: str | None = Field(None, max_length=128)
    password: str | None = Field(None, max_length=1024)


class AccountAnswer(Answer):
    id: str
    name: str
    role: AccountRole


class TokenCreate(Body):
    name: str = Field(min_length=1, max_length=128)
    days: int | None = Field(None, ge=1, le=3650, description="expires after; empty: never")
    scope: Scope = "full"


class TokenAnswer(Answer):
    id: str
    name: str
    scope: Scope
    created_at: datetime
    seen_at: datetime | None = Field(description="last used, to within minutes")
    expires_at: datetime | None
    token: str | None = Field(None, description="shown once, in the answer that creates it")
