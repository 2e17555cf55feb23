"""Accounts as an admin keeps them: listed, their role changed, shut and opened again. One admin always stays."""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from backend.audit.errors import Conflict, NotFound
from backend.audit.rights import AccountRole
from backend.store import accounts
from backend.store.tables import Account


def list_all(session: Session) -> list[Account]:
    """Every account, by name."""
    return list(session.scalars(select(Account).order_by(Account.name)))


def get(session: Session, account_id: str) -> Account:
    """The account. Raises NotFound."""
    found = session.get(Account, account_id)
    if found is None:
        raise NotFound("NOT_FOUND", "There is no such account.")
    return found


def change(
    session: Session, account_id: str, role: AccountRole | None = None, *, disabled: bool | None = None
) -> Account:
    """Set the role, shut or open the account; None leaves it. Shutting ends its sign-ins.

    Raises NotFound, and Conflict (LAST_ADMIN) for what would leave nobody to keep the accounts.
    """
    # Of two admins who demote each other at once, the second waits here and is refused.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('account:roles', 0))"))
    account = get(session, account_id)
    session.refresh(account)
    if role is not None:
        account.role = role
    if disabled is not None and disabled != (account.disabled_at is not None):
        account.disabled_at = accounts.now(session) if disabled else None
        if disabled:
            accounts.end_sessions(session, account_id)
    session.flush()
    admins = select(func.count()).where(Account.role == "admin", Account.disabled_at.is_(None))
    if not session.scalar(admins):
        raise Conflict(
            "LAST_ADMIN", "This is the last admin.", hint="Make somebody else an admin first.", found=1
        )
    return account
