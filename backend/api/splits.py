"""How a run's samples and flags are spread over the splits that the dataset came in."""

from __future__ import annotations

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from pydantic import Field

from backend.api.context import Id, In, Me
from backend.api.samples import Split, succeeded
from backend.api.schemas.base import Answer
from backend.store import reviews
from backend.store.datasets import SPLITS

router = APIRouter(prefix="/api/runs/{run_id}", tags=["runs"])


class SplitRow(Answer):
    """One split; `none` holds the samples that came without one."""

    split: Split
    samples: int
    flagged: int
    undecided: int = Field(description="of the flagged, those without a standing decision")


class SplitList(Answer):
    """Those that hold samples; empty where the dataset came without splits."""

    items: list[SplitRow]


@router.get("/splits")
def list_splits(run_id: Id, context: In, caller: Me) -> SplitList:
    """Samples, flags and undecided flags of each split that the dataset came in."""
    with context.database.transaction() as session:
        run = succeeded(session, caller, run_id, "to show its splits")
        flagged_N = context.published.results(session, run_id).flagged
        code_N = context.published.splits(session, run.dataset_id)
        reviewer = reviews.shown_to(session, run.dataset_id, caller.id)
        decided_N = context.published.verdicts(session, run.dataset_id, reviewer) > 0
    if code_N is None:
        return SplitList(items=[])

    def by_split(wanted_N: NDArray[np.bool_]) -> list[int]:
        return list(np.bincount(code_N[wanted_N], minlength=len(SPLITS)).tolist())

    counted = zip(
        SPLITS,
        by_split(np.ones_like(flagged_N)),
        by_split(flagged_N),
        by_split(flagged_N & ~decided_N),
        strict=True,
    )
    return SplitList(
        items=[
            SplitRow(split=split, samples=samples, flagged=flagged, undecided=undecided)
            for split, samples, flagged, undecided in counted
            if samples
        ]
    )
