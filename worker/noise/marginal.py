"""How large the noisy component may be: fits with its weight held, each with its probability; knows one fit, no scores.

Where clean and noisy samples overlap the likelihood hardly changes along a ridge: fewer noisy samples further out, or more of them
further in, explain the scores equally well, and the single likeliest fit stands anywhere on it. So posteriors are averaged over
the ridge: over the noisy component's weight, all else at its likeliest, under Jeffreys' prior for a proportion (Beta(½, ½);
Jeffreys 1946, Proc. R. Soc. A 186).
Shapes: H held weights, P parameters.
"""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

import numpy as np

from worker.noise.histogram import FloatArray
from worker.noise.skewed_fit import LARGEST_LOG_ODDS, SkewedFit, shape_prior

STEP = 0.25
"""Of the weight's log-odds. Where the likelihood is sharper than a step the likeliest fit stands alone, as it may."""

NEGLIGIBLE = 6.0
"""Nats below the most probable weight at which the ridge ends."""


class Held(NamedTuple):
    """A fit with the weight held, and the logarithm of its probability (not normalised)."""

    value_P: FloatArray
    log_probability: float


def along_the_weight(fit: SkewedFit, likeliest_P: FloatArray) -> list[Held]:
    """Fits from the likeliest one outwards, by rising weight of the second component."""
    prior = shape_prior(fit.leans)
    total = float(fit.count_M.sum())
    best = fit.objective(likeliest_P, prior)[0]
    middle = float(likeliest_P[0])
    sides = []
    for direction in (-STEP, STEP):
        side: list[Held] = []
        value_P, most = likeliest_P, _jeffreys(middle)
        for k in count(1):
            log_odds = middle + k * direction
            if abs(log_odds) > LARGEST_LOG_ODDS:
                break
            found = fit.climbed(np.append(log_odds, value_P[1:]), prior, held=log_odds)
            log_probability = (best - float(found.fun)) * total + _jeffreys(log_odds)
            most = max(most, log_probability)
            if not log_probability > most - NEGLIGIBLE:
                break
            value_P = found.x
            side.append(Held(value_P, log_probability))
        sides.append(side)
    return [*reversed(sides[0]), Held(likeliest_P, _jeffreys(middle)), *sides[1]]


def _jeffreys(log_odds: float) -> float:
    """Log-density of Beta(½, ½) per unit of log-odds, less its constant."""
    return -0.5 * float(np.logaddexp(0.0, log_odds) + np.logaddexp(0.0, -log_odds))
