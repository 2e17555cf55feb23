"""Accounts and their ways in: one-time codes, browser sessions, API tokens, passwords.

Everything handed out is opaque and random, and kept only as its SHA-256: who reads the tables cannot sign
in with what stands there, and a look-up by hash takes the same time for any wrong guess.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
import uuid
from datetime import timedelta

from pwdlib import PasswordHash
from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.audit.errors import Conflict, NotFound
from backend.store.tables import Account, ApiToken, LoginCode
from backend.store.tables import Session as SignIn

LOCAL = "local"
SESSION_DAYS = 30
CODE_MINUTES = 15
TOKEN_BYTES = 32
TOKEN_PREFIX = "noise-audit-"
"""So that scanners for leaked secrets, and people, recognise an API token."""


def ensure_local_account(session: Session) -> Account:
    """The account of whoever sits at this machine, an administrator without a password; made when missing."""
    new = insert(Account).values(id=uuid.uuid4().hex, name=LOCAL, role="admin")
    session.execute(new.on_conflict_do_nothing(index_elements=["name"]))
    return session.scalars(select(Account).where(Account.name == LOCAL)).one()


def new_login_code(
    session: Session, account_id: str, ttl: timedelta = timedelta(minutes=CODE_MINUTES)
) -> str:
    """A code that signs in once, within `ttl`."""
    code = secrets.token_urlsafe(TOKEN_BYTES)
    # The time runs by the database's clock, the same for all processes.
    expires = session.execute(select(func.now())).scalar_one() + ttl
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
    return None if account_id is None else session.get(Account, account_id)


def new_session(session: Session, account_id: str, days: int = SESSION_DAYS) -> str:
    """Sign a browser in; the token goes into its cookie."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = session.execute(select(func.now())).scalar_one()
    session.execute(delete(SignIn).where(SignIn.expires_at < now))
    session.add(SignIn(token_hash=_hash(token), account_id=account_id, expires_at=now + timedelta(days=days)))
    session.flush()
    return token


def account_of_session(session: Session, token: str) -> Account | None:
    """Who is signed in with this session token; None when it is unknown, ended or expired."""
    query = select(Account).join(SignIn, SignIn.account_id == Account.id)
    return session.scalar(query.where(SignIn.token_hash == _hash(token), SignIn.expires_at > func.now()))


def end_session(session: Session, token: str) -> None:
    """Sign out; an unknown token is no error."""
    session.execute(delete(SignIn).where(SignIn.token_hash == _hash(token)))


def new_api_token(
    session: Session, account_id: str, name: str, days: int | None = None
) -> tuple[ApiToken, str]:
    """A token for scripts, and its row; the token itself can never be shown again."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    now = session.execute(select(func.now())).scalar_one()
    row = ApiToken(
        id=uuid.uuid4().hex,
        token_hash=_hash(token),
        account_id=account_id,
        name=name,
        created_at=now,
        expires_at=None if days is None else now + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    return row, token


def account_of_token(session: Session, token: str) -> Account | None:
    """Whose API token this is; None when it is unknown, revoked or expired."""
    query = select(Account).join(ApiToken, ApiToken.account_id == Account.id)
    valid = or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > func.now())
    return session.scalar(query.where(ApiToken.token_hash == _hash(token), valid))


def list_tokens(session: Session, account_id: str) -> list[ApiToken]:
    """The account's API tokens, newest first, expired ones too."""
    query = select(ApiToken).where(ApiToken.account_id == account_id)
    return list(session.scalars(query.order_by(ApiToken.created_at.desc(), ApiToken.id)))


def revoke_token(session: Session, account_id: str, token_id: str) -> None:
    """Make an API token worthless at once. Raises NotFound for an unknown one or somebody else's."""
    mine = delete(ApiToken).where(ApiToken.id == token_id, ApiToken.account_id == account_id)
    if session.scalar(mine.returning(ApiToken.id)) is None:
        raise NotFound("NOT_FOUND", "There is no such token.")


def add_user(session: Session, name: str, password: str, role: str = "member") -> Account:
    """A new account with a password. Raises Conflict (NAME_TAKEN). Takes most of a second, on purpose."""
    new = insert(Account).values(
        id=uuid.uuid4().hex, name=name, role=role, password_hash=_passwords().hash(password)
    )
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
    account = session.scalar(select(Account).where(Account.name == name))
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


@functools.cache
def _passwords() -> PasswordHash:
    return PasswordHash.recommended()


@functools.cache
def _nobodys_hash() -> str:
    return _passwords().hash(secrets.token_urlsafe(TOKEN_BYTES))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
