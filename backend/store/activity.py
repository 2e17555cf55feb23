"""Who did what, appended and never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.store.tables import Account, Activity, Run

ACTION_LENGTH = SUBJECT_LENGTH = 64


class Deed(NamedTuple):
    """One action as people see it; `account` is the name, None where nobody was signed in."""

    id: int
    account: str | None
    action: str
    subject: str
    detail: dict[str, Any]
    happened_at: datetime


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


def newest(
    session: Session,
    limit: int,
    before: int | None = None,
    dataset_id: str | None = None,
    action: str | None = None,
) -> list[Deed]:
    """What was done last, newest first: of everything, or of one dataset and its runs; older than the id `before`."""
    query = (
        select(
            Activity.id,
            Account.name,
            Activity.action,
            Activity.subject,
            Activity.detail,
            Activity.happened_at,
        )
        .outerjoin(Account, Account.id == Activity.account_id)
        .order_by(Activity.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Activity.id < before)
    if action is not None:
        query = query.where(Activity.action == action)
    if dataset_id is not None:
        of_runs = select(Run.id).where(Run.dataset_id == dataset_id)
        query = query.where(or_(Activity.subject == dataset_id, Activity.subject.in_(of_runs)))
    return [Deed(*row) for row in session.execute(query)]


def last(session: Session, action: str) -> Deed | None:
    """The last time that this was done."""
    return next(iter(newest(session, 1, action=action)), None)
