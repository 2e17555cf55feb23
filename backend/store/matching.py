"""Which samples of a run match a filter, and in which order: asked of its columns in memory, never of SQL.

One answer serves the pages, their total and the list of all indices, so that the three cannot differ.
Shapes: N samples, M matches, S members of a selection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.store.datasets import NO_SPLIT, SPLITS
from backend.store.results import ResultColumns
from backend.store.verdicts import CODE, Codes

Indices = NDArray[np.uint32]
Order = Literal["posterior", "index", "selection"]
_LETTER: dict[Order, str] = {"posterior": "p", "index": "i", "selection": "s"}


@dataclass(frozen=True)
class SampleFilter:
    """Which samples of a run, and in which order; None and an empty tuple mean any.

    `verdict` "none" finds samples without a standing decision. `flagged_by` and `not_flagged_by` are ids of other
    runs of the dataset, all of which must (not) have flagged the sample. A sample whose agreement is not known
    matches no `min_agreement`. `split` "none" finds samples that came without one. `order` is by noise posterior, largest first (equal ones by index, largest first),
    by sample index, smallest first, or as the members of the selection were picked.
    """

    flagged: bool | None = None
    given_label: int | None = None
    suggested_label: int | None = None
    min_posterior: float | None = None
    max_posterior: float | None = None
    verdict: str | None = None
    indices: tuple[int, ...] | None = None
    selection: str | None = None
    flagged_by: tuple[str, ...] = field(default=())
    not_flagged_by: tuple[str, ...] = field(default=())
    min_agreement: int | None = None
    split: str | None = None
    order: Order = "posterior"

    @property
    def lasting(self) -> SampleFilter:
        """The part of the filter that no decision changes."""
        return replace(self, verdict=None)


class Matches(NamedTuple):
    """The samples that match, in order."""

    index_M: Indices
    place_M: Indices
    """Where each stands among all samples (or members) in that order; ascending."""

    @property
    def nbytes(self) -> int:
        """Memory that this takes."""
        return self.index_M.nbytes + self.place_M.nbytes


def by_posterior(columns: ResultColumns) -> Indices:
    """Every sample (N,) from the most to the least suspect, equal ones by index, largest first."""
    return np.argsort(columns.noise_posterior, kind="stable")[::-1].astype(np.uint32)


def match(
    columns: ResultColumns,
    filters: SampleFilter,
    ranked_N: Indices,
    selection_S: Indices | None = None,
    flagged_by: Sequence[NDArray[np.bool_]] = (),
    not_flagged_by: Sequence[NDArray[np.bool_]] = (),
    split_N: NDArray[np.uint8] | None = None,
) -> Matches:
    """What the filter finds, its verdict aside. `ranked_N` is what `by_posterior` gives; the other runs' flags
    are (N,) each; `split_N` are places in `datasets.SPLITS`, None where the dataset has none. Raises BadInput (SELECTION_MISSING) for the order of a selection without one."""
    fits_N = _fits(columns, filters)
    for other_N in flagged_by:
        fits_N &= other_N
    for other_N in not_flagged_by:
        fits_N &= ~other_N
    if filters.split is not None:
        code = SPLITS.index(filters.split)
        fits_N &= code == NO_SPLIT if split_N is None else split_N == code
    if filters.indices is not None:
        fits_N &= _members(np.asarray(filters.indices, np.int64), len(fits_N))
    if filters.order == "selection":
        if selection_S is None:
            raise BadInput("SELECTION_MISSING", "Name the selection whose order is meant.", item="selection")
        return _placed(fits_N, selection_S)
    if selection_S is not None:
        fits_N &= _members(selection_S.astype(np.int64), len(fits_N))
    if filters.order == "posterior":
        return _placed(fits_N, ranked_N)
    index_M = np.flatnonzero(fits_N).astype(np.uint32)
    return Matches(index_M, index_M)


def with_verdict(matches: Matches, verdict: str | None, code_N: Codes) -> Matches:
    """Those of the matches on which this verdict stands ("none": none does)."""
    if verdict is None:
        return matches
    stands_M = code_N[matches.index_M] == CODE[verdict]
    return Matches(matches.index_M[stands_M], matches.place_M[stands_M])


def after(matches: Matches, order: Order, cursor: str | None) -> int:
    """How many of the matches come before those that follow the cursor. Raises BadInput (CURSOR_INVALID)."""
    if cursor is None:
        return 0
    if cursor[:1] != _LETTER[order] or not (digits := cursor[1:]).isdecimal() or len(digits) > 10:
        raise BadInput(
            "CURSOR_INVALID",
            "This is no cursor of such a list.",
            hint="Begin again without `after`.",
            item="after",
        )
    return int(np.searchsorted(matches.place_M, int(digits), side="right"))


def following(matches: Matches, order: Order, taken: int) -> str | None:
    """What continues after the first `taken` matches; None when no more follow.

    It names a place in the order of all samples, so that decisions made meanwhile move no page.
    """
    return f"{_LETTER[order]}{matches.place_M[taken - 1]}" if 0 < taken < len(matches.index_M) else None


def _fits(columns: ResultColumns, filters: SampleFilter) -> NDArray[np.bool_]:
    wanted: list[NDArray[np.bool_]] = []
    if filters.flagged is not None:
        wanted.append(columns.flagged if filters.flagged else ~columns.flagged)
    if filters.given_label is not None:
        wanted.append(columns.given_label == filters.given_label)
    if filters.suggested_label is not None:
        wanted.append(columns.suggested_label == filters.suggested_label)
    if filters.min_posterior is not None:
        wanted.append(columns.noise_posterior >= filters.min_posterior)
    if filters.max_posterior is not None:
        wanted.append(columns.noise_posterior <= filters.max_posterior)
    if filters.min_agreement is not None:
        wanted.append(columns.agreement >= max(filters.min_agreement, 0))
    fits_N = np.ones(len(columns.sample_index), dtype=np.bool_)
    for one_N in wanted:
        fits_N &= one_N
    return fits_N


def _members(index_M: NDArray[Any], samples: int) -> NDArray[np.bool_]:
    member_N = np.zeros(samples, dtype=np.bool_)
    member_N[index_M[(index_M >= 0) & (index_M < samples)]] = True
    return member_N


def _placed(fits_N: NDArray[np.bool_], ordered: Indices) -> Matches:
    place_M = np.flatnonzero(fits_N[ordered]).astype(np.uint32)
    return Matches(ordered[place_M], place_M)
