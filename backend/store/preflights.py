"""Looks at uploads and folders before they become datasets; each belongs to the account that asked."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.audit.errors import NotFound
from backend.store import claims, jobs
from backend.store.tables import Preflight

KEPT = timedelta(days=5)
"""As long as an upload that nobody goes on with."""


def create(session: Session, account_id: str, source: dict[str, Any]) -> Preflight:
    """A new look, with its job; takes effect when the caller's transaction commits. Old ones are forgotten."""
    session.execute(delete(Preflight).where(Preflight.created_at < func.now() - KEPT))
    row = Preflight(id=uuid.uuid4().hex, account_id=account_id, source=source)
    session.add(row)
    session.flush()
    session.refresh(row)
    jobs.enqueue_preflight(session, row.id)
    return row


def get(session: Session, account_id: str, preflight_id: str) -> Preflight:
    """The look, if it is this account's. Raises NotFound otherwise."""
    found = session.scalar(
        select(Preflight).where(Preflight.id == preflight_id, Preflight.account_id == account_id)
    )
    if found is None:
        raise NotFound("NOT_FOUND", "There is no such preflight.")
    return found


def request_stop(session: Session, account_id: str, preflight_id: str) -> Preflight:
    """Stop looking; see `claims.request_stop`. Raises NotFound for strangers."""
    get(session, account_id, preflight_id)
    return claims.request_stop(session, Preflight, preflight_id)
