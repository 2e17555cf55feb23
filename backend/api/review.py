"""A dataset's blind double review: switched on and off, how far it is, what is disagreed on, and settling that."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy.orm import Session

from backend.api.blindness import require_whole, sees_whole
from backend.api.context import Id, In, Me
from backend.api.schemas.base import Answer, Body
from backend.api.schemas.decisions import DecisionItem, ReviewCounts
from backend.api.schemas.samples import DecisionAnswer
from backend.audit.blind import STATUSES, ReviewStatus, count_statuses
from backend.audit.errors import Conflict
from backend.store import activity, datasets, deciding, decisions, reviews
from backend.store.tables import Dataset

router = APIRouter(prefix="/api/datasets/{dataset_id}/review", tags=["decisions"])


class ReviewPut(Body):
    blind: bool = Field(description="reviewers do not see each other's decisions")


class ReviewerProgress(Answer):
    name: str
    decided: int


class ReviewProgress(ReviewCounts):
    reviewers: list[ReviewerProgress]


class ReviewAnswer(Answer):
    blind: bool
    since: datetime | None
    own: int = Field(description="samples on which the caller's own decision stands")
    progress: ReviewProgress | None = Field(
        description="empty while the review is open, and for whoever may not adjudicate"
    )


class ReviewedSample(Answer):
    """A sample with each reviewer's newest decision, oldest first, and the adjudication that stands."""

    index: int
    name: str
    given_label: int
    status: ReviewStatus
    answers: list[DecisionAnswer]
    adjudication: DecisionAnswer | None


class ReviewedSamples(Answer):
    total: int = Field(description="all that match")
    items: list[ReviewedSample]


class AdjudicationsCreate(Body):
    """Sending the same `idempotency_key` again changes nothing; the verdict cleared takes an adjudication back."""

    items: list[DecisionItem] = Field(min_length=1, max_length=10_000)
    idempotency_key: str = Field(min_length=8, max_length=64)


class AdjudicationsAnswer(Answer):
    recorded: int
    progress: ReviewProgress


@router.get("")
def get_review(dataset_id: Id, context: In, caller: Me) -> ReviewAnswer:
    """Whether the review is blind, and how far it is."""
    with context.database.transaction() as session:
        return _answer(session, caller, datasets.get(session, caller.id, dataset_id))


@router.put("")
def set_review(dataset_id: Id, body: ReviewPut, context: In, caller: Me) -> ReviewAnswer:
    """Make the review blind, or open it: from then on the newest decision of each sample stands, whoever made it."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        if reviews.set_blind(session, dataset, body.blind):
            activity.record(session, caller.id, "review.set", dataset_id, blind=body.blind)
        return _answer(session, caller, dataset)


@router.get("/samples")
def list_reviewed(
    dataset_id: Id,
    context: In,
    caller: Me,
    status: ReviewStatus | None = None,
    given_label: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
    reviewer: Annotated[str | None, Query(max_length=128, description="decided by this account too")] = None,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ReviewedSamples:
    """Samples that somebody decided or adjudicated, by rising index, with what each reviewer said."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        require_whole(session, caller, dataset)
        index_S, status_S, _ = reviews.reviewed(session, dataset_id).settled
        wanted_S = np.ones(len(index_S), np.bool_)
        if status is not None:
            wanted_S &= status_S == STATUSES.index(status)
        if given_label is not None:
            wanted_S &= datasets.labels(session, dataset_id)[0][index_S] == given_label
        if reviewer is not None:
            wanted_S &= np.isin(index_S, reviews.decided_by(session, dataset_id, reviewer))
        place_M = np.flatnonzero(wanted_S)
        page = {int(index_S[place]): STATUSES[status_S[place]] for place in place_M[offset : offset + limit]}
        said = reviews.said(session, dataset_id, list(page))
        rows = {row.sample_index: row for row in datasets.some_samples(session, dataset_id, list(page))}
        return ReviewedSamples(
            total=len(place_M),
            items=[
                ReviewedSample(
                    index=index,
                    name=rows[index].name,
                    given_label=rows[index].given_label,
                    status=found,
                    answers=[DecisionAnswer.model_validate(each) for each in said[index].answers],
                    adjudication=None
                    if (settled := said[index].adjudication) is None
                    else DecisionAnswer.model_validate(settled),
                )
                for index, found in page.items()
            ],
        )


@router.post("/adjudications")
def create_adjudications(
    dataset_id: Id, body: AdjudicationsCreate, context: In, caller: Me
) -> AdjudicationsAnswer:
    """Settle samples of a blind review: what is said here stands in exports, whatever the reviewers say."""
    with context.database.transaction() as session:
        dataset = datasets.get(session, caller.id, dataset_id)
        datasets.require_ready(dataset)
        if dataset.blind_since is None:
            raise Conflict(
                "NOT_BLIND",
                "The review of this dataset is open: there is nothing to adjudicate.",
                hint="Decide on the sample as usual; the newest decision stands.",
            )
        recorded = deciding.append(
            session,
            dataset_id,
            deciding.Request(caller.id, body.items, None, body.idempotency_key, "review.adjudicate", True),
        )
    with context.database.transaction() as session:
        return AdjudicationsAnswer(recorded=recorded, progress=_progress(session, dataset_id))


def _answer(session: Session, caller: Me, dataset: Dataset) -> ReviewAnswer:
    shown = dataset.blind_since is not None and sees_whole(session, caller, dataset)
    return ReviewAnswer(
        blind=dataset.blind_since is not None,
        since=dataset.blind_since,
        own=sum(decisions.counts(session, dataset.id, reviewer=caller.id).values()),
        progress=_progress(session, dataset.id) if shown else None,
    )


def _progress(session: Session, dataset_id: str) -> ReviewProgress:
    return ReviewProgress(
        **count_statuses(reviews.reviewed(session, dataset_id).settled),
        reviewers=[
            ReviewerProgress(name=name, decided=decided)
            for name, decided in reviews.reviewers(session, dataset_id).items()
        ],
    )
