"""Runs side by side: which samples all, some or only one of them flagged, and how alike they rank. Pure.

Shape letters: N samples, R runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


class Overlap(NamedTuple):
    """Samples flagged by exactly these runs (their places) and by no other."""

    runs: tuple[int, ...]
    samples: int


class Pair(NamedTuple):
    """How alike two runs are."""

    a: int
    b: int
    rank_correlation: float | None
    """Spearman's, of the noise posteriors; equal ones share their mean rank. None where a run knows one rank only."""
    shared: int
    """Samples that both flagged."""
    jaccard: float
    """Shared among those that either flagged; 1 where neither flagged any."""


def overlaps(flagged_RN: Sequence[NDArray[Any]]) -> list[Overlap]:
    """Every set of runs but the empty one, the smaller sets first; the counts sum to what any run flagged."""
    runs = len(flagged_RN)
    code_N = np.zeros(len(flagged_RN[0]), dtype=np.int64)
    for place, flagged_N in enumerate(flagged_RN):
        code_N |= np.asarray(flagged_N, dtype=np.int64) << place
    count = np.bincount(code_N, minlength=2**runs)
    sets = [members for size in range(1, runs + 1) for members in combinations(range(runs), size)]
    return [Overlap(members, int(count[sum(1 << place for place in members)])) for members in sets]


def pairs(flagged_RN: Sequence[NDArray[Any]], noise_posterior_RN: Sequence[NDArray[Any]]) -> list[Pair]:
    """Every two runs, in order."""
    centred_RN = [_centred_ranks(np.asarray(posterior_N)) for posterior_N in noise_posterior_RN]
    return [
        Pair(
            a,
            b,
            _correlation(centred_RN[a], centred_RN[b]),
            shared := int((flagged_RN[a] & flagged_RN[b]).sum()),
            shared / either if (either := int((flagged_RN[a] | flagged_RN[b]).sum())) else 1.0,
        )
        for a, b in combinations(range(len(flagged_RN)), 2)
    ]


def _centred_ranks(value_N: NDArray[Any]) -> NDArray[np.float64]:
    rank_N: NDArray[np.float64] = rankdata(value_N, method="average")
    return rank_N - (len(rank_N) + 1) / 2


def _correlation(a_N: NDArray[np.float64], b_N: NDArray[np.float64]) -> float | None:
    size = float(np.sqrt((a_N @ a_N) * (b_N @ b_N)))
    return float(np.clip(a_N @ b_N / size, -1.0, 1.0)) if size > 0 else None
