"""Ways to rank samples by suspicion from what a training leaves behind; knows arrays, not where they came from.

Shapes: N samples, E tracked epochs, C classes, K neighbours, S scores. Every score rises with suspicion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]


def forgetting(prediction_EN: IntArray, given_label_N: IntArray) -> FloatArray:
    """How often the given label was predicted after one epoch and no longer after the next (Toneva et al. 2019).

    A sample that was never learned was never forgotten either, and is the most suspect: it scores E.
    """
    epochs = len(prediction_EN)
    right_EN = prediction_EN == given_label_N
    forgotten_N = (right_EN[:-1] & ~right_EN[1:]).sum(axis=0).astype(np.float64)
    return np.where(right_EN.any(axis=0), forgotten_N, float(epochs))


def margin(probability_NC: NDArray[np.floating[Any]], given_label_N: IntArray) -> FloatArray:
    """Negative log-probability margin: the best other class over the given one (N,), nats."""
    log_NC = np.log(np.maximum(np.asarray(probability_NC, dtype=np.float64), 1.2e-38))
    row_N = np.arange(len(log_NC))
    given_N = log_NC[row_N, given_label_N].copy()
    log_NC[row_N, given_label_N] = -np.inf
    best_N: FloatArray = log_NC.max(axis=1)
    return best_N - given_N


def neighbour_disagreement(neighbour_NK: IntArray, given_label_N: IntArray) -> FloatArray:
    """Share in [0, 1] of a sample's neighbours in the embedding whose given label is another; 0 without neighbours."""
    if neighbour_NK.shape[1] == 0:
        return np.zeros(len(neighbour_NK))
    disagreement_N: FloatArray = (given_label_N[neighbour_NK] != given_label_N[:, None]).mean(axis=1)
    return disagreement_N


def confident_class(probability_NC: NDArray[np.floating[Any]], given_label_N: IntArray) -> NDArray[np.int64]:
    """The class each sample confidently belongs to (N,), −1 where to none (Northcutt et al. 2021, Eq. 1).

    A class counts where its probability reaches the mean that the samples given that class have; of several
    the likeliest. Needs out-of-fold probabilities: a network that was trained on a label confirms it.
    """
    classes = probability_NC.shape[1]
    row_N = np.arange(len(probability_NC))
    sum_C = np.bincount(given_label_N, weights=probability_NC[row_N, given_label_N], minlength=classes)
    count_C = np.bincount(given_label_N, minlength=classes)
    # Nobody can be confident of a class that no sample was given.
    threshold_C = np.where(count_C > 0, sum_C / np.maximum(count_C, 1), np.inf)
    reached_NC = np.where(probability_NC >= threshold_C, probability_NC, -1.0)
    best_N: NDArray[np.int64] = reached_NC.argmax(axis=1)
    return np.where(reached_NC[row_N, best_N] >= 0.0, best_N, -1)


def confident_joint(probability_NC: NDArray[np.floating[Any]], given_label_N: IntArray) -> FloatArray:
    """Estimated joint distribution (C, C) of given (rows) and true label (columns), calibrated to the counts
    of the given labels (Northcutt et al. 2021, Eq. 3); sums to 1."""
    classes = probability_NC.shape[1]
    confident_N = confident_class(probability_NC, given_label_N)
    known_N = confident_N >= 0
    joint_CC = np.zeros((classes, classes))
    np.add.at(joint_CC, (given_label_N[known_N], confident_N[known_N]), 1.0)
    given_C = np.bincount(given_label_N, minlength=classes).astype(np.float64)
    empty_C = joint_CC.sum(axis=1) == 0
    joint_CC[empty_C, empty_C.nonzero()[0]] = 1.0
    joint_CC *= (given_C / joint_CC.sum(axis=1))[:, None]
    total = joint_CC.sum()
    return joint_CC / total if total > 0 else joint_CC


def consensus(scores: Mapping[str, NDArray[Any]]) -> FloatArray:
    """Mean rank of each sample over several scores (N,), each rank in [0, 1], equal scores sharing theirs."""
    if not scores:
        raise ValueError("a consensus needs at least one score")
    rank_SN = np.stack([_rank(np.asarray(score, dtype=np.float64)) for score in scores.values()])
    mean_N: FloatArray = rank_SN.mean(axis=0)
    return mean_N


def _rank(score_N: FloatArray) -> FloatArray:
    """Mid-ranks scaled to [0, 1]; what is no number ranks in the middle."""
    known_N = ~np.isnan(score_N)
    rank_N = np.full(score_N.size, 0.5)
    if known_N.sum() > 1:
        _, group_K, count_G = np.unique(score_N[known_N], return_inverse=True, return_counts=True)
        last_G = np.cumsum(count_G)
        rank_N[known_N] = ((last_G - (count_G + 1) / 2.0) / (known_N.sum() - 1))[group_K]
    return rank_N
