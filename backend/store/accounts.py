"""Accounts and their ways in: one-time codes, browser sessions, API tokens, passwords.

Everything handed out is opaque and random, and kept only as its SHA-256: who reads the tables cannot sign
in with what stands there, and a look-up by hash takes the same time for any wrong guess.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

from pwdlib import PasswordHash
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.audit.errors import Conflict, NotFound
from backend.audit.rights import AccountRole, Scope
from backend.store.tables import Account, ApiToken, LoginCode
from backend.store.tables import Session as SignIn

LOCAL = "local"
SESSION_DAYS = 30
CODE_MINUTES = 15
HANDED_CODE_HOURS = 24
"""A code that one person hands to another."""
BROWSER_CHARACTERS = 200
SEEN_EVERY = timedelta(minutes=5)
"""So often is a use noted: a write per request would cost more than it tells."""
TOKEN_BYTES = 32
TOKEN_PREFIX = "noise-audit-"  # noqa: S105  it is the part that is no secret
"""So that scanners for leaked secrets, and people, recognise an API token."""
_ACTIVE = Account.disabled_at.is_(None)


def ensure_local_account(session: Session) -> Account:
    """The account of whoever sits at this machine, an administrator without a password; made when missing."""
    new = insert(Account).values(id=uuid.uuid4().hex, name=LOCAL, role="admin")
    session.execute(new.on_conflict_do_nothing(index_elements=["name"]))
    return session.scalars(select(Account).where(Account.name == LOCAL)).one()


def now(session: Session) -> datetime:
    """The transaction's time by the database's clock, the same for all processes."""
    return session.execute(select(func.now())).scalar_one()


def new_login_code(
    session: Session, account_id: str, ttl: timedelta = timedelta(minutes=CODE_MINUTES)
) -> str:
    """A code that signs in once, within `ttl`."""
    code = secrets.token_urlsafe(TOKEN_BYTES)
    expires = now(session) + ttl
    session.execute(delete(LoginCode).where(LoginCode.expires_at < func.now()))
    session.add(LoginCode(code_hash=_hash(code), account_id=account_id, expires_at=expires))
    session.flush()
    return code


def spend_code(session: Session, code: str) -> Account | None:
    """The account that the code signs in, once; None when it is unknown, spent or too old."""
    spent = (
        delete(LoginCode)
        .where(LoginCode.code_hash == _hash(code), LoginCode.expires_at > func.now())
        .returning(LoginCode.account_id)
    )
    account_id = session.scalar(spent)
    return session.scalar(select(Account).where(Account.id == account_id, _ACTIVE))


def new_session(
    session: Session,
    account_id: str,
    days: int = SESSION_DAYS,
    *,
    browser: str = "",
    by_code: bool = False,
) -> str:
    """Sign a browser in; the token goes into its cookie. `browser` is how it names itself."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    began = now(session)
    session.execute(delete(SignIn).where(SignIn.expires_at < began))
    session.add(
        SignIn(
            token_hash=_hash(token),
            account_id=account_id,
            browser=browser[:BROWSER_CHARACTERS],
            by_code=by_code,
            expires_at=began + timedelta(days=days),
        )
    )
    session.flush()
    return token


def by_session(session: Session, token: str) -> tuple[Account, SignIn] | None:
    """Who is signed in with this session token, and that sign-in; None when it is unknown, ended or expired."""
    stale = SignIn.seen_at < func.now() - SEEN_EVERY
    query = select(Account, SignIn, stale).join(SignIn, SignIn.account_id == Account.id)
    valid = query.where(SignIn.token_hash == _hash(token), SignIn.expires_at > func.now(), _ACTIVE)
    found = session.execute(valid).one_or_none()
    if found is None:
        return None
    if found[2]:
        session.execute(update(SignIn).where(SignIn.id == found[1].id).values(seen_at=func.now()))
    return found[0], found[1]


def list_sessions(session: Session, account_id: str) -> list[SignIn]:
    """The account's sign-ins that still hold, the one used last first."""
    query = select(SignIn).where(SignIn.account_id == account_id, SignIn.expires_at > func.now())
    return list(session.scalars(query.order_by(SignIn.seen_at.desc(), SignIn.id)))


def revoke_session(session: Session, account_id: str, session_id: str) -> None:
    """End one of the account's sign-ins at once. Raises NotFound for an unknown one or somebody else's."""
    mine = delete(SignIn).where(SignIn.id == session_id, SignIn.account_id == account_id)
    if session.scalar(mine.returning(SignIn.id)) is None:
        raise NotFound("NOT_FOUND", "There is no such session.")


def end_sessions(session: Session, account_id: str, but: str | None = None) -> int:
    """End all of the account's sign-ins, `but` one; gives how many."""
    every = delete(SignIn).where(SignIn.account_id == account_id, SignIn.id.is_distinct_from(but))
    return len(session.scalars(every.returning(SignIn.id)).all())


def end_session(session: Session, token: str) -> None:
    """Sign out; an unknown token is no error."""
    session.execute(delete(SignIn).where(SignIn.token_hash == _hash(token)))


def new_api_token(
    session: Session, account_id: str, name: str, days: int | None = None, scope: Scope = "full"
) -> tuple[ApiToken, str]:
    """A token for scripts, and its row; the token itself can never be shown again."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    made = now(session)
    row = ApiToken(
        id=uuid.uuid4().hex,
        token_hash=_hash(token),
        account_id=account_id,
        name=name,
        scope=scope,
        created_at=made,
        expires_at=None if days is None else made + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    return row, token


def by_token(session: Session, token: str) -> tuple[Account, ApiToken] | None:
    """Whose API token this is, and the token's row; None when it is unknown, revoked or expired."""
    stale = func.coalesce(ApiToken.seen_at < func.now() - SEEN_EVERY, True)
    query = select(Account, ApiToken, stale).join(ApiToken, ApiToken.account_id == Account.id)
    lasts = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > func.now())
    found = session.execute(query.where(ApiToken.token_hash == _hash(token), lasts, _ACTIVE)).one_or_none()
    if found is None:
        return None
    if found[2]:
        session.execute(update(ApiToken).where(ApiToken.id == found[1].id).values(seen_at=func.now()))
    return found[0], found[1]


def list_tokens(session: Session, account_id: str) -> list[ApiToken]:
    """The account's API tokens, newest first, expired ones too."""
    query = select(ApiToken).where(ApiToken.account_id == account_id)
    return list(session.scalars(query.order_by(ApiToken.created_at.desc(), ApiToken.id)))


def revoke_token(session: Session, account_id: str, token_id: str) -> None:
    """Make an API token worthless at once. Raises NotFound for an unknown one or somebody else's."""
    mine = delete(ApiToken).where(ApiToken.id == token_id, ApiToken.account_id == account_id)
    if session.scalar(mine.returning(ApiToken.id)) is None:
        raise NotFound("NOT_FOUND", "There is no such token.")


def add_user(
    session: Session, name: str, password: str | None = None, role: AccountRole = "editor"
) -> Account:
    """A new account; without a password it comes in by a code. Raises Conflict (NAME_TAKEN).

    Takes most of a second where there is a password, on purpose.
    """
    hashed = None if password is None else _passwords().hash(password)
    new = insert(Account).values(id=uuid.uuid4().hex, name=name, role=role, password_hash=hashed)
    made = session.scalar(new.on_conflict_do_nothing(index_elements=["name"]).returning(Account.id))
    if made is None:
        raise Conflict("NAME_TAKEN", "There is an account of this name.", item="name")
    return session.get_one(Account, made)


def named(session: Session, name: str) -> Account:
    """The account of this name. Raises NotFound."""
    found = session.scalar(select(Account).where(Account.name == name))
    if found is None:
        raise NotFound("NOT_FOUND", "There is no account of this name.", found=name)
    return found


def has_passwords(session: Session) -> bool:
    """Whether anybody can sign in with a password, as an address that others reach needs."""
    return session.scalar(select(Account.id).where(Account.password_hash.is_not(None)).limit(1)) is not None


def check_password(session: Session, name: str, password: str) -> Account | None:
    """The account, when name and password fit; None otherwise, after the same time for an unknown name."""
    account = session.scalar(select(Account).where(Account.name == name, _ACTIVE))
    if account is None or account.password_hash is None:
        _passwords().verify(password, _nobodys_hash())
        return None
    fits, renewed = _passwords().verify_and_update(password, account.password_hash)
    if not fits:
        return None
    if renewed is not None:
        # Made with weaker parameters than today's.
        account.password_hash = renewed
    return account


def set_password(session: Session, account_id: str, password: str) -> None:
    """Give the account another password. Takes most of a second, on purpose."""
    session.get_one(Account, account_id).password_hash = _passwords().hash(password)


@functools.cache
def _passwords() -> PasswordHash:
    return PasswordHash.recommended()


@functools.cache
def _nobodys_hash() -> str:
    return _passwords().hash(secrets.token_urlsafe(TOKEN_BYTES))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
