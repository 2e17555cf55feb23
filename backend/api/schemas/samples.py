"""Samples, with what a run and people say of them, as they travel over HTTP. No behaviour."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from backend.api.schemas.base import Answer
from backend.api.schemas.words import Verdict


class DecisionAnswer(Answer):
    verdict: Verdict
    label: int | None
    account: str
    decided_at: datetime
    carried_from: str | None = Field(
        None, description="the dataset in which it was made, where that is another one"
    )


class SampleAnswer(Answer):
    """One row of the gallery; labels are class indices, the names are the dataset's."""

    index: int
    name: str
    given_label: int
    suggested_label: int
    noise_posterior: float
    label_quality: float
    loss: float
    margin: float
    flagged: bool
    x: float
    y: float
    width: int = Field(description="of the original, pixels")
    height: int
    agreement: int | None = Field(
        None, description="how many of the run's scores put it among as many suspects as were flagged"
    )
    true_label: int | None = None
    split: str | None = None
    decision: DecisionAnswer | None = None


class SamplePage(Answer):
    """`total` counts all that match the filter; `next` continues after the last item."""

    items: list[SampleAnswer]
    total: int
    next: str | None


class Likely(Answer):
    label: int
    probability: float


class Neighbour(Answer):
    index: int
    given_label: int
    distance: float


class Annotation(Answer):
    annotator: str
    label: int


class SampleAnnotations(Answer):
    """What several annotators say of one sample."""

    labels: list[Annotation]
    majority: int
    agreement: float = Field(description="share of the annotators whose label is the majority's")
    consensus: int = Field(description="the label that they give together, each weighed by his reliability")
    consensus_probability: float


class SampleDetail(SampleAnswer):
    first_epochs: list[int] = Field(
        description="in which a network begins; those after the first break the curves"
    )
    loss_by_epoch: list[float]
    margin_by_epoch: list[float]
    prediction_by_epoch: list[int]
    likely: list[Likely]
    neighbours: list[Neighbour]
    why: list[str]
    annotations: SampleAnnotations | None = None
    history: list[DecisionAnswer]
