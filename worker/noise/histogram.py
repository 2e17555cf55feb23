"""Many losses as few weighted points, and their quantiles without sorting; knows numbers only.

Shapes: N losses, M bins or weighted points. Time is a few passes over the losses; working memory does not grow with N.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

HISTOGRAM_FROM = 8192
"""From this many losses on EM runs on a histogram of BINS bins; its cost is then independent of N."""

BINS = 4096
"""Each bin stands at the mean of its losses, so the error is of second order in its width: posteriors within 1e-4
of the fit on all losses (tested)."""

QUANTILE_BINS = 1 << 14
CHUNK = 1 << 16
"""Losses binned at a time: two buffers of half a MiB, used again and again, cost less than fresh memory."""


def weighted_points(
    loss_N: FloatArray, low: float, high: float, clamp: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Points (M,) in [clamp, 1 - clamp] and counts (M,) for the losses in [low, high]: values, or means of bins."""
    if loss_N.size < HISTOGRAM_FROM:
        unit_N = (loss_N[(loss_N >= low) & (loss_N <= high)] - low) / (high - low)
        return np.clip(unit_N, clamp, 1.0 - clamp), np.ones(unit_N.size)
    count_M, mean_M = _histogram(loss_N, low, high, BINS, means=True)
    filled_M = count_M > 0
    return np.clip(mean_M[filled_M], clamp, 1.0 - clamp), count_M[filled_M].astype(np.float64)


def quantiles(loss_N: FloatArray, probability_Q: Sequence[float]) -> list[float]:
    """Quantiles of the losses: numpy's; of many losses only the bins of a histogram that hold them are sorted.

    A bin that holds a wanted rank and much else (an outlier ruins the others' width) is divided again.
    """
    if loss_N.size < HISTOGRAM_FROM:
        return [float(value) for value in np.quantile(loss_N, probability_Q)]
    low, high = float(loss_N.min()), float(loss_N.max())
    count_M, _ = _histogram(loss_N, low, high, QUANTILE_BINS)
    found = []
    for p in probability_Q:
        rank = int(p * (loss_N.size - 1))
        share = p * (loss_N.size - 1) - rank
        value, following = _order_statistic(loss_N, rank, low, high, count_M)
        if share > 0.0 and following is None:
            following = _order_statistic(loss_N, rank + 1, low, high, count_M)[0]
        found.append(value if share == 0.0 or following is None else value + (following - value) * share)
    return found


def _order_statistic(
    loss_N: FloatArray, rank: int, low: float, high: float, count_M: NDArray[np.int64]
) -> tuple[float, float | None]:
    """The loss with so many below it, and the next larger one where it is at hand."""
    before = 0
    for _ in range(8):
        end_M = np.cumsum(count_M) + before
        bin_ = min(int(np.searchsorted(end_M, rank, side="right")), count_M.size - 1)
        before = int(end_M[bin_] - count_M[bin_])
        width = (high - low) / count_M.size
        left, right = low + bin_ * width, low + (bin_ + 1) * width
        if count_M[bin_] <= loss_N.size // 64 or not right - left > 1e-12 * max(abs(left), abs(right)):
            break
        low, high = left, right
        count_M, _ = _histogram(loss_N, low, high, QUANTILE_BINS)
    # Rounding may put a loss at the edge into the next bin; a rank or two is nothing among so many.
    member_K = np.sort(loss_N[(loss_N >= left) & (loss_N <= right)])
    if member_K.size == 0:
        return left, None
    place = min(max(rank - before, 0), member_K.size - 1)
    following = float(member_K[place + 1]) if place + 1 < member_K.size else None
    return float(member_K[place]), following


def _histogram(
    loss_N: FloatArray, low: float, high: float, bins: int, means: bool = False
) -> tuple[NDArray[np.int64], FloatArray]:
    """Counts (bins,) of the losses in [low, high] and, where wanted, their means (bins,) on [0, 1]."""
    # Places 0 and bins + 1 collect what lies outside; the factor keeps `high` itself inside.
    factor = bins * (1.0 - 1e-12) / (high - low) if high > low else 0.0
    count_M = np.zeros(bins + 2, dtype=np.int64)
    sum_M = np.zeros(bins + 2)
    place_buffer, index_buffer = np.empty(min(CHUNK, loss_N.size)), np.empty(min(CHUNK, loss_N.size), np.intp)
    for start in range(0, loss_N.size, CHUNK):
        part_K = loss_N[start : start + CHUNK]
        place_K, index_K = place_buffer[: part_K.size], index_buffer[: part_K.size]
        np.subtract(part_K, low, out=place_K)
        np.multiply(place_K, factor, out=place_K)
        np.add(place_K, 1.0, out=place_K)
        np.clip(place_K, 0.0, bins + 1.0, out=place_K)
        index_K[:] = place_K
        count_M += np.bincount(index_K, minlength=bins + 2)
        if means:
            sum_M += np.bincount(index_K, weights=place_K, minlength=bins + 2)
    inside_M = count_M[1:-1]
    return inside_M, (sum_M[1:-1] / np.maximum(inside_M, 1) - 1.0) / bins
