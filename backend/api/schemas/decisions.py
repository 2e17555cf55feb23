"""Decisions as they travel over HTTP. No behaviour."""

from __future__ import annotations

from pydantic import Field

from backend.api.schemas.base import Answer, Body
from backend.api.schemas.samples import DecisionAnswer
from backend.api.schemas.words import Verdict


class DecisionItem(Body):
    index: int = Field(ge=0)
    verdict: Verdict
    label: int | None = Field(None, ge=0)


class DecisionsCreate(Body):
    """Sending the same `idempotency_key` again changes nothing and answers the same."""

    items: list[DecisionItem] = Field(min_length=1, max_length=10_000)
    run_id: str | None = Field(None, max_length=32)
    idempotency_key: str = Field(min_length=8, max_length=64)


class DecisionsAnswer(Answer):
    recorded: int
    counts: dict[str, int] = Field(description="standing decisions of the dataset by verdict")


class StandingDecision(DecisionAnswer):
    index: int


class StandingDecisions(Answer):
    items: list[StandingDecision]


class DecisionCounts(Answer):
    counts: dict[str, int] = Field(description="standing decisions of the dataset by verdict")


class ReviewCounts(Answer):
    """Samples of a double review by what its reviewers' answers come to."""

    once: int = Field(description="decided by one reviewer: a second is waited for")
    agreed: int = Field(description="two or more said the same, and nobody another thing")
    disagree: int = Field(description="they did not, and nobody has adjudicated")
    adjudicated: int
