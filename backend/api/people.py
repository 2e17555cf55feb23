"""Accounts as an admin keeps them: added, given a role, shut, let in by a one-time code."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter
from pydantic import Field

from backend.api.answers import account_answer
from backend.api.context import Id, In, Me
from backend.api.schemas.accounts import AccountAnswer
from backend.api.schemas.base import Answer, Body
from backend.audit.rights import AccountRole
from backend.store import accounts, activity, people
from backend.store.tables import Account

router = APIRouter(prefix="/api/accounts", tags=["accounts"])


class AccountCreate(Body):
    name: str = Field(min_length=1, max_length=128, pattern=r"^\S(.*\S)?$", description="to sign in with")
    role: AccountRole = "editor"


class AccountChange(Body):
    """What is left out stays."""

    role: AccountRole | None = None
    disabled: bool | None = Field(None, description="nobody comes in; what the account did stays")


class KeptAccount(AccountAnswer):
    """An account as an admin sees it."""

    has_password: bool
    disabled: bool
    created_at: datetime


class AccountList(Answer):
    items: list[KeptAccount]


class SignInCode(Answer):
    """Signs in once; whoever has it can set the account's password."""

    code: str = Field(description="shown once, in this answer; goes into the address as #code=…")
    hours: int = Field(description="it works for")


@router.get("")
def list_accounts(context: In, _: Me) -> AccountList:
    """Every account, by name."""
    with context.database.transaction() as session:
        return AccountList(items=[_answer(row) for row in people.list_all(session)])


@router.post("", status_code=201)
def create_account(body: AccountCreate, context: In, caller: Me) -> KeptAccount:
    """Add an account; it has no password until somebody comes in by a code and sets one."""
    with context.database.transaction() as session:
        row = accounts.add_user(session, body.name, role=body.role)
        activity.record(session, caller.id, "account.create", row.id, name=body.name, role=body.role)
        return _answer(row)


@router.patch("/{account_id}")
def change_account(account_id: Id, body: AccountChange, context: In, caller: Me) -> KeptAccount:
    """Give another role, shut the account (its sign-ins end) or open it again."""
    with context.database.transaction() as session:
        row = people.change(session, account_id, body.role, disabled=body.disabled)
        changed = body.model_dump(exclude_none=True)
        activity.record(session, caller.id, "account.change", account_id, name=row.name, **changed)
        return _answer(row)


@router.post("/{account_id}/code", status_code=201)
def create_sign_in_code(account_id: Id, context: In, caller: Me) -> SignInCode:
    """A one-time code to hand to the account's owner: for the first sign-in, or a forgotten password."""
    hours = accounts.HANDED_CODE_HOURS
    with context.database.transaction() as session:
        row = people.get(session, account_id)
        code = accounts.new_login_code(session, account_id, timedelta(hours=hours))
        activity.record(session, caller.id, "account.code", account_id, name=row.name)
        return SignInCode(code=code, hours=hours)


def _answer(row: Account) -> KeptAccount:
    return KeptAccount(
        **account_answer(row).model_dump(),
        has_password=row.password_hash is not None,
        disabled=row.disabled_at is not None,
        created_at=row.created_at,
    )
