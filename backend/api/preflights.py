"""Looks at an upload or a server folder before it becomes a dataset; a worker looks, nothing of it is kept."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api import deliveries
from backend.api.context import Id, In, Me
from backend.api.schemas.preflights import PreflightAnswer, PreflightCreate
from backend.store import activity, preflights

router = APIRouter(prefix="/api/preflights", tags=["datasets"])


@router.post("", status_code=201)
def create_preflight(body: PreflightCreate, context: In, caller: Me) -> PreflightAnswer:
    """Begin to look at a finished upload or a folder on the server: what it is, and what an import would give."""
    _, source = deliveries.source_of(context, caller.id, body)
    source |= body.model_dump(include={"format", "columns", "append"})
    with context.database.transaction() as session:
        row = preflights.create(session, caller.id, source)
        activity.record(session, caller.id, "preflight.create", row.id, kind=source["kind"])
        return PreflightAnswer.model_validate(row)


@router.get("/{preflight_id}")
def get_preflight(preflight_id: Id, context: In, caller: Me) -> PreflightAnswer:
    """What was found; `report` once the status is ready."""
    with context.database.transaction() as session:
        return PreflightAnswer.model_validate(preflights.get(session, caller.id, preflight_id))


@router.post("/{preflight_id}/stop")
def stop_preflight(preflight_id: Id, context: In, caller: Me) -> PreflightAnswer:
    """Stop looking."""
    with context.database.transaction() as session:
        return PreflightAnswer.model_validate(preflights.request_stop(session, caller.id, preflight_id))
