"""Several people's labels of the same samples: how far they agree, and what they say together. Pure.

Shape letters: N samples, A annotators, C classes, B rows of a block. A label of −1 is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Labels = NDArray[np.integer[Any]]
FloatArray = NDArray[np.float64]

NONE = -1
MOST_CLASSES = 1000
"""With more, a confusion matrix for each annotator says little and costs much: the majority then stands alone."""
ITERATIONS = 100
TOLERANCE = 1e-6
"""Of the mean log-likelihood, nats."""
RIGHT, WRONG = 1.0, 0.1
"""Labels that each annotator is credited with beforehand, per class: so many right ones, and so many spread over all
others. Few labels then do not make somebody perfect, and nobody begins as worse than chance."""
BLOCK = 1 << 21


class Votes(NamedTuple):
    """What counting says of each sample (N,)."""

    voters: NDArray[np.int32]
    """How many annotators gave a label."""
    majority: NDArray[np.int32]
    """The label that most gave, the smallest of several; −1 where nobody gave one."""
    agreement: NDArray[np.float32]
    """The share of the voters that gave it, [0, 1]; not a number where nobody gave one."""


class Consensus(NamedTuple):
    """What the annotators say together, each weighed by how reliable he proves for each class."""

    label: NDArray[np.int32]
    """(N,), −1 where nobody gave one."""
    probability: NDArray[np.float32]
    """(N,) of that label, [0, 1]; not a number where nobody gave one."""
    accuracy: FloatArray
    """(A,): the probability with which an annotator's label is the true one."""


def votes(label_NA: Labels, classes: int) -> Votes:
    """Voters, majority and agreement of each sample."""
    voters_N = (label_NA != NONE).sum(axis=1).astype(np.int32)
    majority_N = np.full(len(label_NA), NONE, dtype=np.int32)
    most_N = np.zeros(len(label_NA))
    for block, count_BC in _counts(label_NA, classes):
        majority_N[block], most_N[block] = count_BC.argmax(axis=1), count_BC.max(axis=1)
    majority_N[voters_N == 0] = NONE
    with np.errstate(invalid="ignore"):
        return Votes(voters_N, majority_N, (most_N / voters_N).astype(np.float32))


def consensus(label_NA: Labels, classes: int) -> Consensus | None:
    """Dawid and Skene's model (1979), fitted by EM: a confusion matrix for each annotator, a frequency for each class.

    Departs from the paper: rows of the matrices have a small prior towards right labels (`RIGHT`, `WRONG`), so that
    annotators with few labels stay near the others. None with more than 1 000 classes.
    """
    if classes > MOST_CLASSES:
        return None
    annotators = label_NA.shape[1]
    given_AN = [_one_hot(label_NA[:, one], classes) for one in range(annotators)]
    prior_CC = np.full((classes, classes), WRONG / max(classes - 1, 1))
    np.fill_diagonal(prior_CC, RIGHT)
    matrix_ACC, frequency_C = _start(label_NA, given_AN, prior_CC)
    last = -np.inf
    for _ in range(ITERATIONS):
        count_ACC = np.repeat(prior_CC[None], annotators, axis=0)
        frequency_count_C = np.ones(classes) / classes
        total = 0.0
        for block, posterior_BC, likelihood in _posteriors(label_NA, matrix_ACC, frequency_C):
            total += likelihood
            voted_B = (label_NA[block] != NONE).any(axis=1)
            frequency_count_C += posterior_BC[voted_B].sum(axis=0)
            for one in range(annotators):
                count_ACC[one] += (given_AN[one][block].T @ posterior_BC).T
        matrix_ACC = count_ACC / count_ACC.sum(axis=2, keepdims=True)
        frequency_C = frequency_count_C / frequency_count_C.sum()
        if total - last < TOLERANCE * len(label_NA):
            break
        last = total
    label_N = np.full(len(label_NA), NONE, dtype=np.int32)
    probability_N = np.full(len(label_NA), np.nan, dtype=np.float32)
    for block, posterior_BC, _ in _posteriors(label_NA, matrix_ACC, frequency_C):
        label_N[block], probability_N[block] = posterior_BC.argmax(axis=1), posterior_BC.max(axis=1)
    silent_N = (label_NA == NONE).all(axis=1)
    label_N[silent_N], probability_N[silent_N] = NONE, np.nan
    accuracy_A = np.einsum("c,acc->a", frequency_C, matrix_ACC)
    return Consensus(label_N, probability_N, accuracy_A)


def _start(
    label_NA: Labels, given_AN: list[csr_array], prior_CC: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Matrices and frequencies as if the shares of the votes were the truth."""
    classes = len(prior_CC)
    count_ACC = np.repeat(prior_CC[None], len(given_AN), axis=0)
    frequency_C = np.ones(classes) / classes
    for block, count_BC in _counts(label_NA, classes):
        share_BC = count_BC / np.maximum(count_BC.sum(axis=1, keepdims=True), 1)
        frequency_C += share_BC.sum(axis=0)
        for one, given_NC in enumerate(given_AN):
            count_ACC[one] += (given_NC[block].T @ share_BC).T
    return count_ACC / count_ACC.sum(axis=2, keepdims=True), frequency_C / frequency_C.sum()


def _posteriors(
    label_NA: Labels, matrix_ACC: FloatArray, frequency_C: FloatArray
) -> Iterator[tuple[slice, FloatArray, float]]:
    """P(true | all labels) (B, C) block by block, with the log-likelihood of the block's labels."""
    # A column for "no label", which says nothing.
    log_ACL = np.concatenate([np.log(matrix_ACC), np.zeros((*matrix_ACC.shape[:2], 1))], axis=2)
    log_C = np.log(frequency_C)
    for block in _blocks(len(label_NA), len(frequency_C)):
        log_BC = np.repeat(log_C[None], block.stop - block.start, axis=0)
        for one, log_CL in enumerate(log_ACL):
            log_BC += log_CL.T[label_NA[block, one]]
        top_B1 = log_BC.max(axis=1, keepdims=True)
        posterior_BC = np.exp(log_BC - top_B1)
        sum_B1 = posterior_BC.sum(axis=1, keepdims=True)
        yield block, posterior_BC / sum_B1, float((top_B1 + np.log(sum_B1)).sum())


def _counts(label_NA: Labels, classes: int) -> Iterator[tuple[slice, FloatArray]]:
    """How many gave each label (B, C), block by block."""
    for block in _blocks(len(label_NA), classes):
        count_BC = np.zeros((block.stop - block.start, classes))
        for label_B in label_NA[block].T:
            voted = np.flatnonzero(label_B != NONE)
            count_BC[voted, label_B[voted]] += 1
        yield block, count_BC


def _one_hot(label_N: Labels, classes: int) -> csr_array:
    voted = np.flatnonzero(label_N != NONE)
    return csr_array((np.ones(len(voted)), (voted, label_N[voted])), shape=(len(label_N), classes))


def _blocks(samples: int, classes: int) -> Iterator[slice]:
    rows = max(1, BLOCK // classes)
    for begin in range(0, samples, rows):
        yield slice(begin, min(begin + rows, samples))
