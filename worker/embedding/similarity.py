"""Exact nearest neighbours by blocks of rows; knows numpy and nothing of maps, labels or images.

Shape letters: N samples, F features, K neighbours, B rows of a block.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 64 << 20
"""Size of one block of scores; as many blocks as there are processors are held at once."""


def neighbours(feature_NF: NDArray[np.floating[Any]], k: int = 8) -> NDArray[np.int32]:
    """The k samples with the most similar features (cosine), most similar first, never the sample itself.

    Returns int32 (N, K) with K = min(k, N − 1); exact, in N² · F operations, meant for N up to 200 000. Ties
    (features that are equal, or all zero) are broken in favour of nothing in particular but always alike.
    """
    unit_NF = unit_rows(feature_NF)
    index_NK, _ = nearest(unit_NF, k)
    return index_NK


def unit_rows(feature_NF: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Rows scaled to length 1, so that distance grows with the angle alone; rows of zeros stay.

    What is not finite counts as 0: a broken feature must not pull its sample anywhere.
    """
    clean_NF = np.nan_to_num(np.asarray(feature_NF, dtype=np.float64), posinf=0.0, neginf=0.0)
    length_N1 = np.linalg.norm(clean_NF, axis=1, keepdims=True)
    unit_NF: NDArray[np.float64] = np.divide(
        clean_NF, length_N1, out=np.zeros_like(clean_NF), where=length_N1 > 0
    )
    return unit_NF.astype(np.float32)


def nearest(
    point_NF: NDArray[np.float32], k: int, *, block_bytes: int = BLOCK_BYTES
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The k nearest other points by Euclidean distance: index int32 (N, K) and distance float32 (N, K)."""
    samples = len(point_NF)
    k = max(0, min(k, samples - 1))
    index_NK = np.empty((samples, k), dtype=np.int32)
    distance_NK = np.empty((samples, k), dtype=np.float32)
    if k == 0:
        return index_NK, distance_NK
    half_square_N = (point_NF * point_NF).sum(axis=1) / 2
    rows = max(1, block_bytes // (4 * samples))

    def fill(start: int) -> None:
        block = slice(start, min(start + rows, samples))
        # x·y − y²/2 falls as the distance grows, and saves adding x²/2 to a whole block.
        score_BN = point_NF[block] @ point_NF.T
        score_BN -= half_square_N
        own_B = np.arange(block.start, block.stop)
        score_BN[own_B - block.start, own_B] = -np.inf
        best_BK = np.argpartition(score_BN, samples - k, axis=1)[:, samples - k :]
        found_BK = np.take_along_axis(score_BN, best_BK, axis=1)
        order_BK = np.lexsort((best_BK, -found_BK), axis=1)
        index_NK[block] = np.take_along_axis(best_BK, order_BK, axis=1)
        squared_BK = 2 * (half_square_N[block, None] - np.take_along_axis(found_BK, order_BK, axis=1))
        distance_NK[block] = np.sqrt(np.maximum(squared_BK, 0))

    with ThreadPoolExecutor(
        min(8, os.cpu_count() or 1)
    ) as threads:  # partitioning is most of it, and one-threaded
        list(threads.map(fill, range(0, samples, rows)))
    return index_NK, distance_NK
