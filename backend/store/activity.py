"""Who did what, appended and never changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from backend.store.tables import Activity

ACTION_LENGTH = SUBJECT_LENGTH = 64


def record(session: Session, account_id: str | None, action: str, subject: str, **detail: Any) -> None:
    """Note an action ("dataset.create") on a subject (an id) in the caller's transaction; no secrets in `detail`."""
    session.add(
        Activity(
            account_id=account_id,
            action=action[:ACTION_LENGTH],
            subject=subject[:SUBJECT_LENGTH],
            detail=detail,
        )
    )
