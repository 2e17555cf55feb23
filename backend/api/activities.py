"""The activity log: who did what, of one dataset or of the whole installation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from backend.api.context import Context, Id, In
from backend.api.schemas.base import Answer
from backend.store import activity

router = APIRouter(prefix="/api", tags=["accounts"])

Before = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]


class Deed(Answer):
    id: int
    account: str | None = Field(description="name; empty where nobody was signed in")
    action: str
    subject: str = Field(description="id of what it was done to")
    detail: dict[str, Any]
    happened_at: datetime


class ActivityPage(Answer):
    items: list[Deed]
    next: int | None = Field(description="`before` of the next page; empty: that was all")


@router.get("/activity")
def list_activity(context: In, before: Before = None, limit: Limit = 50) -> ActivityPage:
    """What was done in this installation, newest first."""
    return _page(context, before, limit, None)


@router.get("/datasets/{dataset_id}/activity")
def list_dataset_activity(
    dataset_id: Id, context: In, before: Before = None, limit: Limit = 50
) -> ActivityPage:
    """What was done to the dataset and its runs, newest first."""
    return _page(context, before, limit, dataset_id)


def _page(context: Context, before: int | None, limit: int, dataset_id: str | None) -> ActivityPage:
    with context.database.transaction() as session:
        found = activity.newest(session, limit + 1, before, dataset_id)
    shown = found[:limit]
    return ActivityPage(
        items=[Deed.model_validate(each) for each in shown],
        next=shown[-1].id if len(found) > limit else None,
    )
