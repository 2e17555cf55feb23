"""Planted label noise for benchmarks: true labels and a generator in, given labels out; knows no dataset.

Shapes: N samples, C classes, D features per sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "symmetric": "A share of the labels is redrawn evenly over all classes; the true label may be drawn again.",
        "symmetric-exclusive": "A share of the labels is replaced by another class, each equally likely.",
        "class-conditional": "Labels change by a matrix P(given | true); without one, each class to its next.",
        "instance": "Labels change depending on the image: each look has its own likely mistake.",
    }
)
"""Kind → a sentence for a person."""


def inject(
    true_label: ArrayLike,
    classes: int,
    kind: str,
    rate: float,
    rng: np.random.Generator,
    matrix: ArrayLike | None = None,
    feature: ArrayLike | None = None,
) -> IntArray:
    """Given labels (N,) int64 made from the true ones (N,).

    `rate` in [0, 1] is the share redrawn ("symmetric": of 10 classes, 40 % redrawn are 36 % wrong) or the
    share wrong ("symmetric-exclusive", and on average "instance" and "class-conditional" without a matrix).
    `matrix` (C, C), row = true class, is used by "class-conditional" and then replaces the rate.
    `feature` (N, D), pixels for instance, is needed by "instance".
    Raises ValueError, naming value and range, when an argument is unusable.
    """
    label_N = np.asarray(true_label, dtype=np.int64)
    if kind not in KINDS:
        raise ValueError(f"kind of noise {kind!r} is none of {', '.join(KINDS)}")
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"noise rate {rate} is outside [0, 1]")
    if classes < 2:
        raise ValueError(f"label noise needs at least 2 classes, found {classes}")
    if label_N.ndim != 1:
        raise ValueError(f"true labels must be a vector, found shape {label_N.shape}")
    if label_N.size and not (int(label_N.min()) >= 0 and int(label_N.max()) < classes):
        raise ValueError(
            f"true labels must lie in 0 … {classes - 1}, found {label_N.min()} … {label_N.max()}"
        )
    if kind == "class-conditional":
        transition_CC = _next_class(classes, rate) if matrix is None else checked_matrix(matrix, classes)
        return _draw_rows(transition_CC[label_N], rng)
    if kind == "instance":
        if feature is None:
            raise ValueError("instance-dependent noise needs the features of every sample")
        return _instance(label_N, classes, rate, rng, np.asarray(feature, dtype=np.float64))
    given_N = label_N.copy()
    chosen_M = rng.permutation(label_N.size)[: round(rate * label_N.size)]
    if kind == "symmetric":
        given_N[chosen_M] = rng.integers(0, classes, chosen_M.size)
    else:
        given_N[chosen_M] = (given_N[chosen_M] + rng.integers(1, classes, chosen_M.size)) % classes
    return given_N


def checked_matrix(matrix: ArrayLike, classes: int) -> FloatArray:
    """The noise transition matrix P(given | true) (C, C) as floats; ValueError when it is none."""
    matrix_CC = np.asarray(matrix, dtype=np.float64)
    if matrix_CC.shape != (classes, classes):
        raise ValueError(
            f"the matrix must be {classes} × {classes}, found {' × '.join(map(str, matrix_CC.shape))}"
        )
    if not np.isfinite(matrix_CC).all() or matrix_CC.min() < 0.0:
        raise ValueError("every entry of the matrix must be a probability of at least 0")
    worst = int(np.abs(matrix_CC.sum(axis=1) - 1.0).argmax())
    if abs(matrix_CC[worst].sum() - 1.0) > 1e-6:
        raise ValueError(f"row {worst} of the matrix sums to {matrix_CC[worst].sum():.6g}, not to 1")
    return matrix_CC


def _next_class(classes: int, rate: float) -> FloatArray:
    return (1.0 - rate) * np.eye(classes) + rate * np.roll(np.eye(classes), 1, axis=1)


def _draw_rows(probability_NC: FloatArray, rng: np.random.Generator) -> IntArray:
    """One class per row, by inverting the row's distribution function."""
    total_NC = np.cumsum(probability_NC, axis=1)
    draw_N = rng.random(probability_NC.shape[0]) * total_NC[:, -1]
    class_N: IntArray = np.minimum((total_NC <= draw_N[:, None]).sum(axis=1), probability_NC.shape[1] - 1)
    return class_N


def _instance(
    label_N: IntArray, classes: int, rate: float, rng: np.random.Generator, feature: FloatArray
) -> IntArray:
    """Xia et al. 2020 (part-dependent label noise), Algorithm 2: per-sample rate, per-class random projection."""
    feature_ND = feature.reshape(label_N.size, -1)
    feature_ND = feature_ND - feature_ND.mean(axis=0)
    norm_N1 = np.linalg.norm(feature_ND, axis=1, keepdims=True)
    feature_ND = feature_ND / np.maximum(norm_N1, 1e-12)
    rate_N = np.clip(rng.normal(rate, 0.1 if rate > 0.0 else 0.0, label_N.size), 0.0, 1.0)
    projection_CDC = rng.standard_normal((classes, feature_ND.shape[1], classes))
    given_N = label_N.copy()
    for true in range(classes):  # one class at a time: N × D × C at once would not fit for large sets
        member_M = np.flatnonzero(label_N == true)
        # Unit features give logits of unit variance; the factor makes some mistakes likely, others rare.
        logit_MC = 3.0 * feature_ND[member_M] @ projection_CDC[true]
        logit_MC[:, true] = -np.inf
        probability_MC = np.exp(logit_MC - logit_MC.max(axis=1, keepdims=True)) if member_M.size else logit_MC
        probability_MC /= probability_MC.sum(axis=1, keepdims=True)
        probability_MC *= rate_N[member_M, None]
        probability_MC[:, true] = 1.0 - rate_N[member_M]
        given_N[member_M] = _draw_rows(probability_MC, rng)
    return given_N
