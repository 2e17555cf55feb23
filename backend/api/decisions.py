"""Decisions of people on samples: recorded, counted, never changed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field
from pydantic_core import to_json
from sqlalchemy.orm import Session

from backend.api.blindness import require_whole
from backend.api.context import Context, Id, In, Me
from backend.api.schemas.base import Answer
from backend.api.schemas.decisions import DecisionCounts, DecisionsAnswer, DecisionsCreate, StandingDecisions
from backend.api.schemas.summaries import RecentDecisions
from backend.audit.agreement import agreements
from backend.store import datasets, deciding, decisions, reviews, verdicts


class AgreementAnswer(Answer):
    """Two reviewers on the samples that both decided."""

    a: str = Field(description="name of one")
    b: str = Field(description="name of the other")
    samples: int = Field(description="decided by both")
    same: int = Field(description="with the same verdict and label")
    kappa: float | None = Field(
        description="Cohen's: 1 always the same, 0 as chance would; empty where chance explains everything"
    )
    kappa_low: float | None = Field(description="95 % interval of kappa")
    kappa_high: float | None


class AgreementList(Answer):
    items: list[AgreementAnswer]


router = APIRouter(prefix="/api/datasets/{dataset_id}/decisions", tags=["decisions"])

CHANGES = 20_000
"""In one answer of recent batches: what a page can hold for undo."""


@router.post("")
def create_decisions(dataset_id: Id, body: DecisionsCreate, context: In, caller: Me) -> DecisionsAnswer:
    """Record verdicts, all or none; the same idempotency key again changes nothing."""
    request = deciding.Request(caller.id, body.items, body.run_id, body.idempotency_key)
    with context.database.autocommit() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        datasets.require_ready(dataset)
        deciding.check(session, dataset, request)
    recorded = context.turns.record(dataset_id, request)
    with context.database.autocommit() as session:
        return DecisionsAnswer(recorded=recorded, counts=_counts(context, session, caller, dataset_id))


@router.delete("/carried")
def clear_carried_decisions(dataset_id: Id, context: In, caller: Me) -> DecisionsAnswer:
    """Take back the decisions that were carried over from another dataset and still stand: one batch, to be undone."""
    with context.database.transaction() as session:
        datasets.require_ready(datasets.get(session, caller.id, dataset_id))
        reviewer = reviews.shown_to(session, dataset_id, caller.id)
        recorded = deciding.clear_carried(session, dataset_id, caller.id, reviewer=reviewer)
    with context.database.transaction() as session:
        return DecisionsAnswer(recorded=recorded, counts=_counts(context, session, caller, dataset_id))


@router.get("")
def count_decisions(dataset_id: Id, context: In, caller: Me) -> DecisionCounts:
    """How many samples stand at each verdict."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        if dataset.status != "ready":
            return DecisionCounts(counts={})
        return DecisionCounts(counts=_counts(context, session, caller, dataset_id))


@router.get("/recent", response_model=RecentDecisions)
def recent_decisions(
    dataset_id: Id, context: In, caller: Me, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Response:
    """The caller's own newest batches with what stood before and after, oldest first: what can be undone.

    At most 20 000 changes in all; a batch that does not fit whole is left out, with all before it.
    """
    with context.database.transaction() as session:
        datasets.get(session, caller.id, dataset_id)
        reviewer = reviews.shown_to(session, dataset_id, caller.id)
        batches = decisions.recent(session, dataset_id, caller.id, limit, CHANGES, reviewer=reviewer)
    # As plain values: twenty thousand models would take seconds to make and to check.
    items = [
        {
            "idempotency_key": batch.idempotency_key,
            "run_id": batch.run_id,
            "decided_at": batch.decided_at,
            "changes": [
                {"index": index, "before": _stood(before), "after": _stood(after)}
                for index, before, after in batch.changes
            ],
        }
        for batch in batches
    ]
    return Response(to_json({"items": items}), media_type="application/json")


@router.get("/standing", response_model=StandingDecisions)
def list_decisions(dataset_id: Id, context: In, caller: Me) -> Response:
    """The decision that stands on each sample that has one, by rising sample index."""
    with context.database.transaction() as session:
        datasets.get(session, caller.id, dataset_id)
        reviewer = reviews.shown_to(session, dataset_id, caller.id)
        standing = decisions.standing(session, dataset_id, reviewer=reviewer)
    items = [{"index": index, **each._asdict()} for index, each in sorted(standing.items())]
    # As plain values, like the batches above.
    return Response(to_json({"items": items}), media_type="application/json")


@router.get("/agreement")
def get_agreement(dataset_id: Id, context: In, caller: Me) -> AgreementList:
    """How far reviewers who decided the same samples agree, by their own newest decisions."""
    with context.database.transaction() as session:
        require_whole(session, caller, datasets.get(session, caller.id, dataset_id))
        answers = decisions.by_reviewer(session, dataset_id)
    return AgreementList(items=[AgreementAnswer.model_validate(pair) for pair in agreements(answers)])


def _stood(standing: tuple[str, int | None] | None) -> dict[str, Any] | None:
    return None if standing is None else {"verdict": standing[0], "label": standing[1]}


def _counts(context: Context, session: Session, caller: Me, dataset_id: str) -> dict[str, int]:
    reviewer = reviews.shown_to(session, dataset_id, caller.id)
    return verdicts.counts(context.published.verdicts(session, dataset_id, reviewer))
