"""What travels over HTTP about many samples at once: selections, batches, classes, thresholds, comparisons. No behaviour."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.api.schemas.base import Answer, Body
from backend.api.schemas.runs import RunAnswer

Interval = Annotated[list[float], Field(min_length=2, max_length=2)]
StandingVerdict = Literal["keep", "relabel", "remove", "unsure"]


# --- selections ----------------------------------------------------------------------------------


class SelectionCreate(Body):
    """Exactly one of the two. A list keeps its order; a bitmap, the shorter way for many, is in order of index."""

    indices: Annotated[list[int], Field(min_length=1, max_length=1_000_000)] | None = None
    bitmap: str | None = Field(
        None,
        min_length=4,
        max_length=4_000_000,
        description="base64 of one bit per sample index, 8 to a byte, the lowest bit first",
    )


class SelectionAnswer(Answer):
    """The same list has the same id."""

    id: str
    samples: int


class SelectionDetail(SelectionAnswer):
    indices: list[int]


# --- decisions -----------------------------------------------------------------------------------


class StandingAnswer(Answer):
    verdict: StandingVerdict
    label: int | None


class StandingChange(Answer):
    """What one decision did; null where no decision stood."""

    index: int
    before: StandingAnswer | None
    after: StandingAnswer | None


class RecentBatch(Answer):
    """The decisions of one request."""

    idempotency_key: str
    run_id: str | None
    decided_at: datetime
    changes: list[StandingChange]


class RecentDecisions(Answer):
    """The caller's own, oldest first."""

    items: list[RecentBatch]


# --- thresholds ----------------------------------------------------------------------------------


class ThresholdRow(Answer):
    """What flagging everything from this noise posterior on would mean, if the posteriors are right."""

    threshold: float
    flagged: int
    expected_precision: float
    expected_recall: float


class Thresholds(Answer):
    """`edges` are those of the bins of the noise posterior, one more than `counts`; the last bin holds 1 too."""

    threshold: float | None = Field(description="the run's own")
    samples: int
    edges: list[float]
    counts: list[int]
    items: list[ThresholdRow]


# --- classes -------------------------------------------------------------------------------------


class ClassRow(Answer):
    """`noise_rate` is estimated, with its 95 % interval; `decided` counts standing decisions of any verdict."""

    label: int
    samples: int
    flagged: int
    noise_rate: float
    noise_rate_interval: Interval
    decided: int


class Cell(Answer):
    """Flagged samples with this given and this suggested label."""

    given: int
    suggested: int
    flagged: int
    undecided: int


class ClassNoiseAnswer(Answer):
    items: list[ClassRow]
    cells: list[Cell] = Field(description="those that hold flagged samples")


# --- figures and comparisons -------------------------------------------------------------------------


class LossFigure(Answer):
    """A plotly figure of one epoch."""

    epoch: int
    data: list[dict[str, Any]]
    layout: dict[str, Any]


class LossFigures(Answer):
    items: list[LossFigure]


class OverlapAnswer(Answer):
    """Samples flagged by exactly these runs."""

    runs: list[str]
    samples: int


class PairAnswer(Answer):
    a: str
    b: str
    rank_correlation: float | None = Field(description="Spearman's, of the noise posteriors")
    shared: int = Field(description="samples that both flagged")
    jaccard: float = Field(description="shared among those that either flagged")


class Comparison(Answer):
    runs: list[RunAnswer]
    settings: list[dict[str, Any]] = Field(
        description="with which each run was made, in their order; the recipe's own among them"
    )
    overlap: list[OverlapAnswer]
    pairs: list[PairAnswer]
