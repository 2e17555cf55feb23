"""How a vector of losses is brought onto [0, 1] before a mixture is fitted; knows nothing of the mixtures.

Shapes: N losses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from worker.noise.histogram import FloatArray, quantiles

Normalisation = Literal["percentile", "maximum"]

# The beta density is infinite at 0 and 1 for some parameters (paper, Sec. 3.1: "numerically unstable").
CLAMP: dict[str, float] = {"percentile": 1e-3, "maximum": 1e-4}


@dataclass(frozen=True)
class Scale:
    """The affine map from losses in [low, high] to [0, 1], and the margin kept from its ends."""

    low: float
    high: float
    clamp: float

    @property
    def width(self) -> float:
        """Length of the range in the unit of the losses; divides densities on [0, 1] to get theirs."""
        return self.high - self.low

    def apply(self, loss_N: FloatArray) -> FloatArray:
        """The losses on [clamp, 1 - clamp]; what lies outside the range is moved to its end."""
        unit_N = (loss_N - self.low) / self.width
        return np.clip(unit_N, self.clamp, 1.0 - self.clamp)

    def inside(self, loss_N: FloatArray) -> NDArray[np.bool_]:
        """Which losses lie in the range, and so take part in the fit."""
        return (loss_N >= self.low) & (loss_N <= self.high)


def scale_of(loss_N: FloatArray, normalisation: Normalisation, tail: float) -> Scale | None:
    """The scale of finite losses, or None when they do not differ.

    "percentile" goes from the `tail` to the `1 - tail` quantile, as the authors' released code does with
    5 %; "maximum" from 0 (or the smallest loss, where that is negative) to the largest (paper, Sec. 3.1),
    which a single outlier can ruin.
    """
    if normalisation == "percentile":
        low, high = quantiles(loss_N, [tail, 1.0 - tail])
        if not high > low:  # more than a tail's share of ties: the whole range still tells them apart
            low, high = float(loss_N.min()), float(loss_N.max())
    else:
        low, high = min(0.0, float(loss_N.min())), float(loss_N.max())
    # A range that is lost in rounding is no range: all losses are equal for our purpose.
    if not high - low > 1e-9 * max(abs(low), abs(high), 1e-9):
        return None
    return Scale(low, high, CLAMP[normalisation])
