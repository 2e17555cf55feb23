"""Which images are nearly the same: a hash of each, a look-up of similar hashes, and pixels compared; knows arrays only.

Exact comparison of all pairs costs N²; equal parts of hashes bring together what can be similar, and pixels decide.
Shape letters: N images, P pairs, H × W pixels, C channels, G groups, M members of all groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

BITS, BANDS = 64, 4
"""Two hashes that differ in fewer bits than there are bands have at least one band in common."""
DIFFERENT_BITS = 12
"""Pairs that share a band are looked at only when no more bits than this differ: a fifth."""
CROWD, WINDOW = 400, 64
"""In a band's bucket of more than `CROWD` images (plain backgrounds) each is compared with the next `WINDOW` in order of
the whole hash instead of with all."""
SIDE = 12
"""Pixels are compared at so many to a side: what compression and scaling change is gone by then."""
CORRELATION, PLAIN, BRIGHTNESS = 0.985, 4.0, 24.0
"""Nearly the same: correlated so far, or both with less contrast than `PLAIN`, and of about the same brightness in each channel (of 255)."""
ROWS = 4096


class Groups(NamedTuple):
    """Images that are nearly the same, in groups of at least two."""

    member_M: NDArray[np.int32]
    """Image indices, ascending within each group; groups in the order of their first member."""
    begin_G1: NDArray[np.int64]
    """Group g is member_M[begin_G1[g] : begin_G1[g + 1]]."""


def hashes(
    image_NHWC: NDArray[np.uint8], progress: Callable[[float], None] = lambda share: None
) -> NDArray[np.uint64]:
    """The difference hash (N,): a bit for each of 8 × 8 places that says whether it grows brighter to the right."""
    samples, height, width, _ = image_NHWC.shape
    down_8H, across_W9 = _areas(height, 8), _areas(width, 9).T
    weight_J = np.uint64(1) << np.arange(BITS, dtype=np.uint64)
    hash_N = np.empty(samples, dtype=np.uint64)
    for begin in range(0, samples, ROWS):
        grey_BHW = image_NHWC[begin : begin + ROWS].mean(axis=3, dtype=np.float32)
        small_B89 = down_8H @ grey_BHW @ across_W9
        bit_BJ = (np.diff(small_B89, axis=2) > 0).reshape(len(small_B89), BITS)
        hash_N[begin : begin + ROWS] = (bit_BJ * weight_J).sum(axis=1, dtype=np.uint64)
        progress(min(1.0, (begin + ROWS) / samples))
    return hash_N


def candidates(hash_N: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Pairs (P, 2), smaller index first, of hashes that share a band and differ in few bits; each pair once."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for band in range(BANDS):
        part_N = (hash_N >> np.uint64(band * BITS // BANDS)) & np.uint64((1 << BITS // BANDS) - 1)
        order_N = np.lexsort((hash_N, part_N))
        edge_K = np.flatnonzero(np.diff(part_N[order_N], prepend=part_N[order_N[:1]] + 1, append=0) != 0)
        for pair_P2 in _within(order_N, np.append(edge_K[edge_K < len(hash_N)], len(hash_N))):
            differing_P = np.bitwise_count(hash_N[pair_P2[:, 0]] ^ hash_N[pair_P2[:, 1]])
            found.append(np.sort(pair_P2[differing_P <= DIFFERENT_BITS], axis=1))
    pair_P2 = np.concatenate(found)
    if not len(pair_P2):
        return pair_P2
    return np.unique(pair_P2, axis=0)


def alike(image_NHWC: NDArray[np.uint8], pair_P2: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which pairs (P,) are nearly the same picture, by their pixels."""
    alike_P = np.zeros(len(pair_P2), dtype=np.bool_)
    _, height, width, _ = image_NHWC.shape
    down_SH, across_WS = _areas(height, SIDE), _areas(width, SIDE).T

    def small(index_B: NDArray[np.int64]) -> NDArray[np.float32]:
        image_BCHW = image_NHWC[index_B].astype(np.float32).transpose(0, 3, 1, 2)
        small_BCSS: NDArray[np.float32] = np.matmul(
            np.matmul(down_SH, image_BCHW), across_WS, dtype=np.float32
        )
        return small_BCSS

    for begin in range(0, len(pair_P2), ROWS):
        block = slice(begin, begin + ROWS)
        one_BCSS, other_BCSS = small(pair_P2[block, 0]), small(pair_P2[block, 1])
        apart_B = np.abs(one_BCSS.mean(axis=(2, 3)) - other_BCSS.mean(axis=(2, 3))).max(axis=1)
        one_BK, spread_B = _standardised(one_BCSS)
        other_BK, other_spread_B = _standardised(other_BCSS)
        plain_B = np.maximum(spread_B, other_spread_B) < PLAIN
        near_B = apart_B <= np.where(plain_B, PLAIN, BRIGHTNESS)
        alike_P[block] = near_B & (plain_B | ((one_BK * other_BK).mean(axis=1) >= CORRELATION))
    return alike_P


def _standardised(small_BCSS: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Each image as a row with mean 0 and deviation 1, and the deviation that it had."""
    row_BK = small_BCSS.reshape(len(small_BCSS), -1)
    row_BK = row_BK - row_BK.mean(axis=1, keepdims=True)
    spread_B = row_BK.std(axis=1)
    return row_BK / np.maximum(spread_B, 1e-3)[:, None], spread_B


def groups(pair_P2: NDArray[np.integer[Any]], samples: int) -> Groups:
    """Images that are connected by pairs, whatever the way between them."""
    links = coo_array(
        (np.ones(len(pair_P2), np.int8), (pair_P2[:, 0], pair_P2[:, 1])), shape=(samples, samples)
    )
    _, part_N = connected_components(links, directed=False)
    size_N = np.bincount(part_N, minlength=samples)[part_N]
    member_M = np.flatnonzero(size_N > 1)
    first_K = np.full(int(part_N.max(initial=0)) + 1, samples)
    np.minimum.at(first_K, part_N[member_M], member_M)
    member_M = member_M[np.lexsort((member_M, first_K[part_N[member_M]]))]
    begin_G = np.flatnonzero(np.diff(part_N[member_M], prepend=-1))
    return Groups(member_M.astype(np.int32), np.append(begin_G, len(member_M)).astype(np.int64))


def _within(order_N: NDArray[np.int64], edge_K: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """All pairs within each bucket order_N[edge : next edge], a bounded number at a time."""
    waiting, held = list[NDArray[np.int64]](), 0
    for begin, end in pairwise(edge_K.tolist()):
        size = end - begin
        if size < 2:
            continue
        if size <= CROWD:
            one_P, other_P = np.triu_indices(size, k=1)
        else:
            step_W = np.arange(1, WINDOW + 1)
            one_P = np.repeat(np.arange(size), WINDOW)
            other_P = one_P + np.tile(step_W, size)
            inside_P = other_P < size
            one_P, other_P = one_P[inside_P], other_P[inside_P]
        bucket = order_N[begin:end]
        waiting.append(np.stack([bucket[one_P], bucket[other_P]], axis=1))
        held += len(one_P)
        if held > 4_000_000:
            yield np.concatenate(waiting)
            waiting, held = [], 0
    if waiting:
        yield np.concatenate(waiting)


def _areas(length: int, parts: int) -> NDArray[np.float32]:
    """Weights (parts, length) that average a line of pixels over so many equal parts of it."""
    edge_P1 = np.linspace(0, length, parts + 1)
    pixel_L = np.arange(length)
    overlap_PL = np.clip(
        np.minimum(edge_P1[1:, None], pixel_L + 1) - np.maximum(edge_P1[:-1, None], pixel_L), 0, None
    )
    weight_PL: NDArray[np.float32] = (overlap_PL / overlap_PL.sum(axis=1, keepdims=True)).astype(np.float32)
    return weight_PL
