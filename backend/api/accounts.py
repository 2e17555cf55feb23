"""Signing in and out, and the tokens of scripts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from backend.api.answers import account_answer, token_answer
from backend.api.context import In, Me
from backend.api.gate import cookie_name
from backend.api.schemas.accounts import AccountAnswer, SignIn, TokenAnswer, TokenCreate
from backend.audit.errors import BadInput, NotSignedIn
from backend.store import accounts, activity

router = APIRouter(prefix="/api", tags=["accounts"])


@router.post("/session")
def sign_in(body: SignIn, request: Request, response: Response, context: In) -> AccountAnswer:
    """Exchange the one-time code, or a name and password, for a cookie."""
    by_code = body.code is not None and body.name is None and body.password is None
    by_password = body.code is None and body.name is not None and body.password is not None
    if not (by_code or by_password):
        raise BadInput("INVALID", "Send a code, or a name and a password.", item="code")
    address = request.client.host if request.client else ""
    context.throttle.check(address)
    with context.database.transaction() as session:
        if body.code is not None:
            account = accounts.spend_code(session, body.code)
        else:
            account = accounts.check_password(session, body.name or "", body.password or "")
        if account is not None:
            # A new sign-in never goes on with a token that somebody may have planted or seen.
            name = cookie_name(request.url.scheme)
            if previous := request.cookies.get(name):
                accounts.end_session(session, previous)
            browser = request.headers.get("user-agent", "")
            token = accounts.new_session(session, account.id, browser=browser, by_code=by_code)
            activity.record(session, account.id, "session.begin", account.id)
            _set_cookie(request, response, name, token)
            return account_answer(account)
    context.throttle.failed(address)
    with context.database.transaction() as session:
        # Without the name: people type passwords into the wrong field.
        activity.record(session, None, "session.refused", address)
    raise NotSignedIn(
        "SIGN_IN_FAILED",
        "This code is unknown or spent." if by_code else "Name and password do not fit.",
        hint="`noise-audit up` prints a fresh address." if by_code else "",
    )


@router.get("/session")
def who_am_i(caller: Me) -> AccountAnswer:
    """The account that is signed in."""
    return account_answer(caller)


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, context: In) -> None:
    """End this browser's sign-in."""
    name = cookie_name(request.url.scheme)
    if token := request.cookies.get(name):
        with context.database.transaction() as session:
            accounts.end_session(session, token)
    _set_cookie(request, response, name, "")


@router.get("/tokens")
def list_tokens(context: In, caller: Me) -> list[TokenAnswer]:
    """The account's tokens, newest first."""
    with context.database.transaction() as session:
        return [token_answer(row) for row in accounts.list_tokens(session, caller.id)]


@router.post("/tokens", status_code=201)
def create_token(body: TokenCreate, context: In, caller: Me) -> TokenAnswer:
    """Make a token for scripts; this answer alone shows it."""
    with context.database.transaction() as session:
        row, token = accounts.new_api_token(session, caller.id, body.name, body.days, body.scope)
        activity.record(session, caller.id, "token.create", row.id, name=body.name, scope=body.scope)
        return token_answer(row, token)


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: Annotated[str, Path(max_length=64)], context: In, caller: Me) -> None:
    """Make a token worthless at once."""
    with context.database.transaction() as session:
        accounts.revoke_token(session, caller.id, token_id)
        activity.record(session, caller.id, "token.revoke", token_id)


def _set_cookie(request: Request, response: Response, name: str, token: str) -> None:
    response.set_cookie(
        name,
        token,
        max_age=accounts.SESSION_DAYS * 86_400 if token else 0,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
