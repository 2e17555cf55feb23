"""Which classes are mistaken for which, and how suspect each label is in that light; knows predictions and labels.

A doubtful label is not yet a noisy one: an image that looks like a cat or a dog and is labelled cat is suspect only
where dogs do get labelled cat. So the noise is described by its structure S(k → j), the share of class k's wrong
labels that say j, and a label y is as suspect as its most likely source:  max_{k ≠ y} p_k S(k → y) (C − 1) : p_y.
With even noise S is 1 / (C − 1) everywhere and the logarithm of these odds is the negative margin.
Shapes: N samples, C classes, B rows of a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]

ANCHOR_SHARE, FEWEST_ANCHORS = 0.15, 20
"""Of the samples predicted to be a class, the most confident ones stand for it: hardly any of them is another class, so
what their labels say is noise and not confusion. At a third of the samples confusions begin to show."""

EVEN_LABELS = 10.0
"""So many wrong labels, evenly spread, are added to each row: a few wrong anchors may still be confusions. At 2 % noise on
CIFAR-10 that gave back half of what a structure made of confusions had cost."""

EVEN_FROM = 10.0
"""From this concentration on rows differ so little from even shares that their differences cost more than they tell."""

SMALLEST_PROBABILITY = 1e-12
"""Averages of predictions below it are rounding."""

BLOCK = 1 << 22
"""Probabilities weighed at once."""


def noise_structure(probability_NC: NDArray[Any], given_label_N: IntArray) -> FloatArray:
    """S (C, C): row k holds the shares of class k's wrong labels, 0 on the diagonal; rows sum to 1.

    Counted on the anchors and drawn towards even shares as far as rows could differ by chance alone: the rows are taken
    as draws of a Dirichlet-multinomial distribution around even shares, its concentration found by maximum likelihood
    over all rows. Symmetric noise gives even shares, class-conditional noise its classes.
    """
    classes = probability_NC.shape[1]
    count_CC = _anchor_counts(probability_NC, given_label_N)
    wrong_CC = count_CC * (1.0 - np.eye(classes))
    even = 1.0 / (classes - 1)
    concentration = _concentration(wrong_CC[~np.eye(classes, dtype=bool)].reshape(classes, classes - 1))
    if concentration >= EVEN_FROM:
        wrong_CC = np.zeros((classes, classes))
    structure_CC = wrong_CC + (concentration + EVEN_LABELS) * even
    np.fill_diagonal(structure_CC, 0.0)
    share_CC: FloatArray = structure_CC / structure_CC.sum(axis=1, keepdims=True)
    return share_CC


def likeliest_source(
    probability_NC: NDArray[Any], given_label_N: IntArray, structure_CC: FloatArray | None = None
) -> NDArray[np.int64]:
    """The class k other than the given label y that a wrong label most likely came from (N,): most p_k S(k → y)."""
    source_N = np.empty(len(given_label_N), dtype=np.int64)
    for block, _, weight_BC in _weighed(probability_NC, given_label_N, structure_CC):
        source_N[block] = weight_BC.argmax(axis=1)
    return source_N


def suspicion(
    probability_NC: NDArray[Any], given_label_N: IntArray, structure_CC: FloatArray | None = None
) -> FloatArray:
    """Log-odds (N,) of the likeliest source of a wrong label against the label; see above. Without a structure noise is
    even.

    `probability_NC` are the predictions, best averaged over epochs in which the labels were not yet learned by heart.
    """
    score_N = np.empty(len(given_label_N))
    for block, own_B, weight_BC in _weighed(probability_NC, given_label_N, structure_CC):
        score_N[block] = np.log(np.maximum(weight_BC.max(axis=1), SMALLEST_PROBABILITY)) - np.log(own_B)
    return score_N


def _weighed(
    probability_NC: NDArray[Any], given_label_N: IntArray, structure_CC: FloatArray | None
) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
    """Block by block: the rows, the probability of their label (B,), and p_k S(k → y) (C − 1) for all others (B, C)."""
    samples, classes = probability_NC.shape
    rows = max(1, BLOCK // classes)
    for begin in range(0, samples, rows):
        block = slice(begin, begin + rows)
        given_B = given_label_N[block]
        weight_BC = np.maximum(np.asarray(probability_NC[block], dtype=np.float64), SMALLEST_PROBABILITY)
        row_B = np.arange(len(given_B))
        own_B = weight_BC[row_B, given_B].copy()
        if structure_CC is not None:
            weight_BC *= structure_CC[:, given_B].T * (classes - 1)
        weight_BC[row_B, given_B] = 0.0
        yield block, own_B, weight_BC


def _anchor_counts(probability_NC: NDArray[Any], given_label_N: IntArray) -> FloatArray:
    """How often the anchors of each class (rows) carry each label (columns)."""
    classes = probability_NC.shape[1]
    predicted_N, confidence_N = probability_NC.argmax(axis=1), probability_NC.max(axis=1)
    count_CC = np.zeros((classes, classes))
    order_N = np.lexsort((-confidence_N, predicted_N))
    begin_C = np.searchsorted(predicted_N[order_N], np.arange(classes + 1))
    for label in range(classes):
        begin, end = begin_C[label], begin_C[label + 1]
        chosen = max(FEWEST_ANCHORS, round(ANCHOR_SHARE * (end - begin)))
        anchor_A = order_N[begin : min(end, begin + chosen)]
        count_CC[label] = np.bincount(given_label_N[anchor_A], minlength=classes)
    return count_CC


def _concentration(count_RK: FloatArray) -> float:
    """Total concentration of the even Dirichlet-multinomial distribution most likely to give these rows of counts."""
    total_R, kinds = count_RK.sum(axis=1), count_RK.shape[1]

    def negative_log_likelihood(log_concentration: float) -> float:
        total = np.exp(log_concentration)
        each = total / kinds
        row = (
            gammaln(total) - gammaln(total_R + total) + (gammaln(count_RK + each) - gammaln(each)).sum(axis=1)
        )
        return -float(row.sum())

    found = minimize_scalar(negative_log_likelihood, bounds=(np.log(0.1), np.log(1e5)), method="bounded")
    return float(np.exp(found.x))
