"""Noise by class: how much of each class looks wrong, how sure that is, and which label is taken for which. Pure.

Shape letters: N samples, C classes, K pairs (given, suggested), S classes shown.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.noise.rate import noise_rate, rate_interval


class ClassNoise(NamedTuple):
    """One value per class, by class index."""

    samples_C: NDArray[np.int64]
    flagged_C: NDArray[np.int64]
    noise_rate_C: NDArray[np.float64]
    """Share of the samples given this class whose label is estimated to be wrong; 0 for a class without samples."""
    low_C: NDArray[np.float64]
    """Ends of the 95 % interval of the rate; [0, 1] for a class without samples."""
    high_C: NDArray[np.float64]


class Cells(NamedTuple):
    """Pairs of given and suggested label that flagged samples have, by given, then by suggested label."""

    given_K: NDArray[np.int64]
    suggested_K: NDArray[np.int64]
    flagged_K: NDArray[np.int64]


class Matrix(NamedTuple):
    """Counts of samples by given (row) and suggested label (column), for the classes shown."""

    shown_S: NDArray[np.int64]
    """Class indices, ascending."""
    count_SS: NDArray[np.int64]
    classes: int
    """All there are."""
    samples: int
    """Samples that were counted, shown or not."""


def class_noise(
    given_N: NDArray[Any], noise_posterior_N: NDArray[Any], flagged_N: NDArray[Any], classes: int
) -> ClassNoise:
    """The rate of each class and its interval are the run's own, taken over the class alone.

    (`worker.noise.rate`: sampling, ambiguous posteriors and what the shapes may be off. The rates weighted by the
    classes' sizes sum to the whole's.)
    """
    given_N = np.asarray(given_N, dtype=np.int64)
    samples_C = np.bincount(given_N, minlength=classes)
    flagged_C = np.bincount(given_N[np.asarray(flagged_N, dtype=bool)], minlength=classes)
    # Sorted by class, each class is one slice: no pass over all samples per class.
    by_class_N = np.asarray(noise_posterior_N, dtype=np.float64)[np.argsort(given_N, kind="stable")]
    end_C = np.cumsum(samples_C)
    rate_C, low_C, high_C = np.zeros(classes), np.zeros(classes), np.ones(classes)
    for label in np.flatnonzero(samples_C):
        posterior_M = by_class_N[end_C[label] - samples_C[label] : end_C[label]]
        rate_C[label] = noise_rate(posterior_M)
        low_C[label], high_C[label] = rate_interval(posterior_M, float(rate_C[label]))
    return ClassNoise(samples_C, flagged_C, rate_C, low_C, high_C)


def flag_cells(
    given_N: NDArray[Any], suggested_N: NDArray[Any], flagged_N: NDArray[Any], classes: int
) -> Cells:
    """The cells that hold flagged samples, and how many."""
    flat_K, flagged_K = np.unique(_flat(given_N, suggested_N, flagged_N, classes), return_counts=True)
    return Cells(flat_K // classes, flat_K % classes, flagged_K.astype(np.int64))


def count_in_cells(
    cells: Cells, given_M: NDArray[Any], suggested_M: NDArray[Any], classes: int
) -> NDArray[np.int64]:
    """How many of these samples, each of which lies in one of the cells, lie in each (K,)."""
    place_M = np.searchsorted(
        cells.given_K * classes + cells.suggested_K,
        np.asarray(given_M, np.int64) * classes + np.asarray(suggested_M, np.int64),
    )
    return np.bincount(place_M, minlength=len(cells.given_K)).astype(np.int64)


def transition_counts(
    given_N: NDArray[Any],
    suggested_N: NDArray[Any],
    counted_N: NDArray[Any],
    classes: int,
    largest: int,
) -> Matrix:
    """Given → suggested over the samples counted.

    With more than `largest` classes, those that take part in most disagreements (as given or as suggested label).
    """
    given_M = np.asarray(given_N, dtype=np.int64)[np.asarray(counted_N, dtype=bool)]
    suggested_M = np.asarray(suggested_N, dtype=np.int64)[np.asarray(counted_N, dtype=bool)]
    differs_M = given_M != suggested_M
    part_C = np.bincount(given_M[differs_M], minlength=classes) + np.bincount(
        suggested_M[differs_M], minlength=classes
    )
    shown_S = np.sort(np.argsort(-part_C, kind="stable")[:largest])
    place_C = np.full(classes, -1)
    place_C[shown_S] = np.arange(len(shown_S))
    row_M, column_M = place_C[given_M], place_C[suggested_M]
    inside_M = (row_M >= 0) & (column_M >= 0)
    side = len(shown_S)
    count_SS = np.bincount(row_M[inside_M] * side + column_M[inside_M], minlength=side**2).reshape(side, side)
    return Matrix(shown_S, count_SS.astype(np.int64), classes, len(given_M))


def _flat(
    given_N: NDArray[Any], suggested_N: NDArray[Any], counted_N: NDArray[Any], classes: int
) -> NDArray[np.int64]:
    counted_N = np.asarray(counted_N, dtype=bool)
    given_M, suggested_M = np.asarray(given_N)[counted_N], np.asarray(suggested_N)[counted_N]
    flat_M: NDArray[np.int64] = given_M.astype(np.int64) * classes + suggested_M.astype(np.int64)
    return flat_M
