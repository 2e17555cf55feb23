"""Histogram of all losses and the mixtures' curves over it: numbers ready for a figure, which is built elsewhere.

Shapes: N losses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from worker.noise.histogram import FloatArray
from worker.noise.mixtures import LARGEST, Mixture

POINTS = 200


def loss_histogram(loss: ArrayLike, bins: int = 100) -> dict[str, Any]:
    """`edges` (bins + 1, unit of the losses) and `counts` (bins) of all finite losses (N,), JSON-ready.

    The range ends where the distribution does, at most half as far again as its 99.9 % quantile, so that one
    outlier does not flatten the figure; what lies beyond is counted in the last bin. `not_finite` counts the
    losses that are no numbers or beyond LARGEST.
    """
    loss_N = np.asarray(loss, dtype=np.float64).ravel()
    finite_N = loss_N[np.abs(loss_N) < LARGEST]
    not_finite = int(loss_N.size - finite_N.size)
    if finite_N.size == 0:
        return {"edges": [0.0, 1.0], "counts": [0], "not_finite": not_finite}
    low, quantile, high = float(finite_N.min()), float(np.quantile(finite_N, 0.999)), float(finite_N.max())
    high = min(high, low + 1.5 * (quantile - low)) if quantile > low else high
    if not high - low > 1e-9 * max(abs(low), abs(high), 1e-9):
        half = max(abs(low), 1.0) * 0.5
        low, high = low - half, low + half
    counts, edges = np.histogram(np.minimum(finite_N, high), bins=bins, range=(low, high))
    return {
        "edges": [float(value) for value in edges],
        "counts": [int(value) for value in counts],
        "not_finite": not_finite,
    }


def curves(mixture: Mixture, edges: list[float], points: int = POINTS) -> dict[str, list[float]]:
    """`x` over the histogram's range, weighted densities `clean` and `noisy`, and their `sum`, per unit of loss.

    Times N and the width of a bin they lie on the histogram's counts.
    """
    x_P: FloatArray = np.linspace(edges[0], edges[-1], points)
    density_2P = np.minimum(mixture.density(x_P), 1e300)
    return {
        "x": x_P.tolist(),
        "clean": density_2P[0].tolist(),
        "noisy": density_2P[1].tolist(),
        "sum": density_2P.sum(axis=0).tolist(),
    }
