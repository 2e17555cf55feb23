"""The noise rate and how sure it is, from posteriors; knows no mixture.

Shapes: N samples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from worker.noise.histogram import FloatArray

AMBIGUITY = 1.5
"""How much of the ambiguous mass, the mean of min(p, 1 - p), the rate may be off. If the posteriors were right the flags
would err on just that mass; shapes that are a little wrong move the rate by about as much. Chosen so that the intervals cover the
truth on the sets of the benchmark and on generated ones (see tests)."""


class Shape(NamedTuple):
    """What the shapes assumed may be off: a share of the samples, and a share of the rate."""

    share: float
    of_rate: float


SHAPE_OF_PROBABILITIES = Shape(0.002, 0.0)
"""With probabilities most of a network's own mistakes are told from noise; .001–.002 of all samples were not."""

SHAPE_OF_SCORES = Shape(0.006, 0.06)
"""From one score they are not, .005 of all samples on the benchmark's sets; and no family fits real scores exactly."""


def noise_rate(posterior_N: FloatArray, threshold: float = 0.5) -> float:
    """Half the mean posterior and half the share at the threshold.

    The mean posterior counts the noisy component's tail below the clean one, which is mostly shape; the share counts none of
    it. On margins of real trainings their errors had opposite signs.
    """
    if posterior_N.size == 0:
        return 0.0
    return 0.5 * float(posterior_N.mean()) + 0.5 * float((posterior_N >= threshold).mean())


def rate_interval(
    posterior_N: FloatArray, rate: float, threshold: float = 0.5, shape: Shape = SHAPE_OF_PROBABILITIES
) -> tuple[float, float]:
    """An interval that holds the rate 95 times in 100: sampling, the ambiguous mass, and both estimates.

    Sampling alone would be far too sure of itself: what a rate is off comes from the components' shapes.
    """
    if posterior_N.size == 0:
        return 0.0, 1.0
    sampling = 1.96 * float(np.sqrt(max(rate * (1.0 - rate), 0.0) / posterior_N.size))
    ambiguous = AMBIGUITY * float(np.minimum(posterior_N, 1.0 - posterior_N).mean())
    both = (float(posterior_N.mean()), float((posterior_N >= threshold).mean()), rate)
    half = float(np.hypot(sampling, ambiguous)) + shape.share + shape.of_rate * rate
    return max(0.0, min(min(both), rate - half)), min(1.0, max(max(both), rate + half))
