"""How well a score finds noisy samples whose true labels are known; knows scores and truth, nothing else.

Shapes: N samples. Ties count as one step (AUROC: half), so the figures do not depend on the order of equals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def auroc(noisy: ArrayLike, score: ArrayLike) -> float | None:
    """Chance that a random noisy sample scores above a random clean one; None when either kind is absent."""
    noisy_N, score_N = _checked(noisy, score)
    positives, negatives = int(noisy_N.sum()), int((~noisy_N).sum())
    if positives == 0 or negatives == 0:
        return None
    _, group_N, count_G = np.unique(score_N, return_inverse=True, return_counts=True)
    last_G = np.cumsum(count_G)
    rank_G = last_G - (count_G - 1) / 2.0
    rank_sum = float(rank_G[group_N][noisy_N].sum())
    return (rank_sum - positives * (positives + 1) / 2.0) / (positives * negatives)


def average_precision(noisy: ArrayLike, score: ArrayLike) -> float | None:
    """Precision averaged over the recall gained at each distinct score, highest first; None without noisy samples."""
    noisy_N, score_N = _checked(noisy, score)
    positives = int(noisy_N.sum())
    if positives == 0:
        return None
    order_N = np.argsort(-score_N, kind="stable")
    hit_N = np.cumsum(noisy_N[order_N])
    end_N = np.append(np.flatnonzero(np.diff(score_N[order_N])), score_N.size - 1)
    hit_G = hit_N[end_N].astype(np.float64)
    precision_G = hit_G / (end_N + 1)
    return float((np.diff(hit_G, prepend=0.0) / positives) @ precision_G)


def flag_metrics(noisy: ArrayLike, flagged: ArrayLike) -> dict[str, float]:
    """`precision`, `recall` and `f1` of the flags (N,); a ratio over nothing is 0."""
    noisy_N, flagged_N = np.asarray(noisy, dtype=bool), np.asarray(flagged, dtype=bool)
    hits = int((noisy_N & flagged_N).sum())
    flags, positives = int(flagged_N.sum()), int(noisy_N.sum())
    return {
        "f1": 2.0 * hits / (flags + positives) if flags + positives else 0.0,
        "precision": hits / flags if flags else 0.0,
        "recall": hits / positives if positives else 0.0,
    }


def detection_metrics(noisy: ArrayLike, score: ArrayLike, flagged: ArrayLike) -> dict[str, float | None]:
    """`auroc`, `average_precision` of the score and `f1`, `precision`, `recall` of the flags."""
    return {
        "auroc": auroc(noisy, score),
        "average_precision": average_precision(noisy, score),
        **flag_metrics(noisy, flagged),
    }


def _checked(noisy: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    noisy_N, score_N = np.asarray(noisy, dtype=bool), np.asarray(score, dtype=np.float64)
    if noisy_N.shape != score_N.shape or noisy_N.ndim != 1:
        raise ValueError(
            f"truth and score must be vectors of one length, not {noisy_N.shape} and {score_N.shape}"
        )
    if np.isnan(score_N).any():
        raise ValueError("a score is not a number")
    return noisy_N, score_N
