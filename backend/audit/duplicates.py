"""What a group of nearly equal images means for labels and splits, and which of its members can go. Pure.

Shape letters: N samples, G groups, M members of all groups.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Facts(NamedTuple):
    """Of each group (G,): whether all files are equal, given labels differ, and members came from different splits."""

    exact: NDArray[np.bool_]
    different_labels: NDArray[np.bool_]
    across_splits: NDArray[np.bool_]


def facts(
    member_M: NDArray[Any],
    begin_G1: NDArray[Any],
    content_hash: list[str],
    given_N: NDArray[Any],
    split: list[str | None],
) -> Facts:
    """What is true of each group; hashes, labels and splits by sample index."""
    _, content_M = np.unique(np.array([content_hash[index] for index in member_M]), return_inverse=True)
    _, split_M = np.unique(np.array([split[index] or "" for index in member_M]), return_inverse=True)
    given_M = np.asarray(given_N)[member_M]
    return Facts(
        exact=~_varies(content_M, begin_G1),
        different_labels=_varies(given_M, begin_G1),
        across_splits=_varies(split_M, begin_G1),
    )


def surplus(member_M: NDArray[Any], begin_G1: NDArray[Any], group_K: NDArray[Any]) -> NDArray[np.int64]:
    """All members of these groups but the first of each, ascending."""
    parts = [member_M[begin_G1[group] + 1 : begin_G1[group + 1]] for group in group_K]
    return np.sort(np.concatenate(parts)).astype(np.int64) if parts else np.empty(0, np.int64)


def _varies(value_M: NDArray[Any], begin_G1: NDArray[Any]) -> NDArray[np.bool_]:
    if len(begin_G1) < 2:
        return np.zeros(0, np.bool_)
    begin_G = begin_G1[:-1]
    varies_G: NDArray[np.bool_] = np.minimum.reduceat(value_M, begin_G) != np.maximum.reduceat(
        value_M, begin_G
    )
    return varies_G
