"""Decisions of people on samples: recorded, counted, never changed."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.context import Id, In, Me
from backend.api.schemas import DecisionCounts, DecisionsAnswer, DecisionsCreate
from backend.store import activity, datasets, decisions

router = APIRouter(prefix="/api/datasets/{dataset_id}/decisions", tags=["decisions"])


@router.post("")
def create_decisions(dataset_id: Id, body: DecisionsCreate, context: In, caller: Me) -> DecisionsAnswer:
    """Record verdicts, all or none; the same idempotency key again changes nothing."""
    with context.database.transaction() as session:
        datasets.require_ready(datasets.get(session, caller.id, dataset_id))
        recorded = decisions.append(
            session, dataset_id, caller.id, body.items, body.run_id, body.idempotency_key
        )
        if recorded:
            activity.record(session, caller.id, "decisions.create", dataset_id, recorded=recorded)
        return DecisionsAnswer(recorded=recorded, counts=decisions.counts(session, dataset_id))


@router.get("")
def count_decisions(dataset_id: Id, context: In, caller: Me) -> DecisionCounts:
    """How many samples stand at each verdict."""
    with context.database.transaction() as session:
        datasets.get(session, caller.id, dataset_id)
        return DecisionCounts(counts=decisions.counts(session, dataset_id))
