"""Sign-off over HTTP: a plan of samples to review, and what the reviews say of the whole dataset."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from backend.api.context import Id, In, Me
from backend.api.samples import succeeded
from backend.api.schemas.base import Answer
from backend.audit import signoff
from backend.audit.signoff_advice import advise
from backend.store import decisions, reviews, selections

router = APIRouter(prefix="/api/runs/{run_id}/sign-off", tags=["sign-off"])


class StratumAnswer(Answer):
    """What the decisions say about one part of the plan."""

    name: Literal["flagged", "unflagged"]
    samples: int = Field(description="of the run")
    drawn: int = Field(description="of the plan")
    reviewed: int = Field(description="of the drawn, with a decision")
    counted: int = Field(description="the first of the drawn on which the estimates rest")
    wrong: int = Field(description="of the counted, relabelled or removed")
    unsure: int = Field(description="of the counted, counted both as right and as wrong")
    skipped: int = Field(description="of the counted, left out by the reviewer; counted both ways too")


class EstimateAnswer(Answer):
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float


class SignOffAnswer(Answer):
    """The plan, how far it is, and the estimates; an estimate is empty before there is an answer to base it on."""

    size: int
    seed: int
    strata: list[StratumAnswer]
    noise_rate: EstimateAnswer | None = Field(description="share of wrong labels in the dataset")
    flag_precision: EstimateAnswer | None = Field(description="share of wrong labels among the flagged")
    missed: EstimateAnswer | None = Field(description="share of wrong labels among the unflagged")
    missed_count: EstimateAnswer | None = Field(description="wrong labels among the unflagged")
    enough: bool
    advice: str
    next_size: int | None = Field(description="size of the larger plan that the advice names")
    remaining: list[int] = Field(description="samples of the plan without a decision, in review order")
    selection: str = Field(description="id of the kept selection of the whole plan, in review order")


@router.get("")
def get_sign_off(
    run_id: Id,
    context: In,
    caller: Me,
    size: Annotated[int, Query(ge=1, le=signoff.LARGEST)] = 200,
    seed: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> SignOffAnswer:
    """Which samples to review, and what the decisions that stand on them say; nothing is kept but the selection."""
    with context.database.transaction() as session:
        run = succeeded(session, caller, run_id, "to sign it off")
        columns = context.published.results(session, run_id)
        drawn = signoff.plan(columns.flagged, size, seed)
        reviewer = reviews.shown_to(session, run.dataset_id, caller.id)
        standing = decisions.standing(session, run.dataset_id, drawn.index_S.tolist(), reviewer=reviewer)
    seen = signoff.tallies(drawn, columns.flagged, columns.given_label, standing)
    findings = signoff.findings(seen)
    advice = advise(seen, findings, size)
    return SignOffAnswer(
        size=size,
        seed=seed,
        strata=[StratumAnswer.model_validate(each) for each in seen],
        **{
            name: None if found is None else EstimateAnswer.model_validate(found)
            for name, found in findings._asdict().items()
        },
        enough=advice.enough,
        advice=advice.words,
        next_size=advice.next_size,
        remaining=signoff.remaining(drawn, standing),
        selection=selections.keep(context.artifacts, run_id, drawn.index_S),
    )
