"""Decisions and a stated policy → cleaned labels. Pure: given labels are never changed, only read.

Shape letters: N samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Unreviewed = Literal["keep", "accept", "remove"]
POLICIES: tuple[Unreviewed, ...] = ("keep", "accept", "remove")
REMOVED = -1
"""The cleaned label of a sample that the cleaned dataset leaves out."""

BECAUSE = (
    "not flagged",
    "flagged, not reviewed: kept",
    "flagged, not reviewed: suggestion accepted",
    "flagged, not reviewed: removed",
    "reviewer kept it",
    "reviewer relabelled it",
    "reviewer removed it",
    "reviewer was unsure: kept",
)
"""Why a sample has its cleaned label; `Cleaned.because_N` indexes these words."""

_OF_POLICY: Mapping[Unreviewed, int] = {"keep": 1, "accept": 2, "remove": 3}
_OF_VERDICT: Mapping[str, int] = {"keep": 4, "relabel": 5, "remove": 6, "unsure": 7}

Standing = Mapping[int, Sequence[Any]]
"""Sample index → (verdict, label or None, …): the newest decision of each sample that has one."""


class Cleaned(NamedTuple):
    """One label and one reason per sample."""

    label_N: NDArray[np.int64]
    """Class index, or REMOVED."""
    because_N: NDArray[np.uint8]
    """Index into BECAUSE."""


class CleaningCounts(NamedTuple):
    """What a policy does to the dataset, in numbers."""

    samples: int
    flagged: int
    decided: dict[str, int]
    flagged_unreviewed: int
    relabelled: int
    removed: int
    unchanged: int


def cleaned_labels(
    given_N: NDArray[Any],
    suggested_N: NDArray[Any],
    flagged_N: NDArray[Any],
    standing: Standing,
    unreviewed: Unreviewed = "keep",
) -> Cleaned:
    """Every sample's cleaned label and why.

    A decision always wins over a flag. `unreviewed` says what becomes of flagged samples without a
    decision; `unsure` is a decision, so it keeps the given label under every policy. Raises
    ValueError for an unknown policy or verdict and for a decision on a sample that does not exist.
    """
    if unreviewed not in _OF_POLICY:
        raise ValueError(f"unreviewed is {unreviewed!r}; allowed: {', '.join(POLICIES)}")
    flagged_N = np.asarray(flagged_N, dtype=bool)
    label_N = np.asarray(given_N).astype(np.int64)
    because_N = np.where(flagged_N, _OF_POLICY[unreviewed], 0).astype(np.uint8)
    if unreviewed == "accept":
        label_N = np.where(flagged_N, np.asarray(suggested_N, dtype=np.int64), label_N)
    elif unreviewed == "remove":
        label_N = np.where(flagged_N, REMOVED, label_N)
    for index, (verdict, label, *_) in standing.items():
        if verdict == "cleared":
            continue
        if verdict not in _OF_VERDICT or not 0 <= index < len(label_N):
            raise ValueError(f"no such decision: {verdict!r} on sample {index} of {len(label_N)}")
        because_N[index] = _OF_VERDICT[verdict]
        label_N[index] = {"relabel": label, "remove": REMOVED}.get(verdict, given_N[index])
    return Cleaned(label_N, because_N)


def count_cleaning(given_N: NDArray[Any], flagged_N: NDArray[Any], cleaned: Cleaned) -> CleaningCounts:
    """The numbers of a preview: `relabelled + removed + unchanged` is the number of samples."""
    label_N, because_N = cleaned
    removed_N = label_N == REMOVED
    relabelled_N = ~removed_N & (label_N != given_N)
    decided = {verdict: int((because_N == code).sum()) for verdict, code in _OF_VERDICT.items()}
    return CleaningCounts(
        samples=len(label_N),
        flagged=int(np.asarray(flagged_N, dtype=bool).sum()),
        decided=decided,
        flagged_unreviewed=int(np.isin(because_N, list(_OF_POLICY.values())).sum()),
        relabelled=int(relabelled_N.sum()),
        removed=int(removed_N.sum()),
        unchanged=int((~removed_N & ~relabelled_N).sum()),
    )


def changed_indices(given_N: NDArray[Any], cleaned: Cleaned) -> NDArray[np.int64]:
    """The samples whose cleaned label differs from the given one (removed ones included), ascending."""
    return np.flatnonzero(cleaned.label_N != np.asarray(given_N)).astype(np.int64)
