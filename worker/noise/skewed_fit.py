"""The likeliest components for weighted points: their parameters as one vector, priors, objective, starts, ascent.

Knows points on a standardised line; must not know of scores. Maximum a posteriori by L-BFGS.
Shapes: M weighted points, K components (1 or 2), P parameters.

The vector holds the log-odds of the second component (where there are two), then for each component place and log spread
and, where it may lean, lean and log tail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from worker.noise.histogram import FloatArray
from worker.noise.sinh_arcsinh import Component, density_gradient

LEAN_SPREAD, TAIL_SPREAD, WIDTH_SPREAD = 0.2, 0.2, 0.25
"""Widths of the priors on lean, log tail and the log-ratio of both spreads: shapes are Gaussian and of one width unless
the scores say otherwise. Without them a component takes any shape that another has left over."""

LONE_LEAN_SPREAD, LONE_TAIL_SPREAD = 1.0, 0.2
"""The same for a single component, which may take nearly any shape before a second one is said to exist."""

CLASS_WEIGHT_SPREAD, CLASS_PLACE_SPREAD, CLASS_WIDTH_SPREAD = 1.0, 0.5, 0.25
"""How far a class may go from the pooled fit: log-odds of its noise rate, places in sixths of the scores' range, log
spreads. A class with few samples stays at the pooled fit."""

CUTS = (0.3, 0.6, 0.85, 0.95, 0.99)
"""Shares of the samples below the cut from which a fit starts: few noisy samples are not found from the middle."""

LARGEST_LOG_ODDS = 7.0
"""Of one component against the other: a thousandth of the samples at the least."""

STEPS = 150


class Prior(NamedTuple):
    """A Gaussian prior on every parameter, and whether both spreads are held together."""

    centre_P: FloatArray
    precision_P: FloatArray
    tied: bool


def unpacked(value_P: FloatArray, leans: tuple[bool, ...]) -> tuple[FloatArray, list[Component]]:
    """Weights (K,) and components of a parameter vector."""
    logit_K = np.append(0.0, value_P[: len(leans) - 1])
    weight_K = np.exp(logit_K - logit_K.max())
    components, at = [], len(leans) - 1
    for lean in leans:
        size = 4 if lean else 2
        part = [float(value) for value in value_P[at : at + size]] + [0.0, 0.0]
        components.append(Component(part[0], float(np.exp(part[1])), part[2], float(np.exp(part[3]))))
        at += size
    return weight_K / weight_K.sum(), components


def shape_prior(leans: tuple[bool, ...]) -> Prior:
    """What is known of the components of any scores; `leans` says of each whether it may lean."""
    if len(leans) == 1:
        return Prior(np.zeros(4), np.array([0.0, 0.0, LONE_LEAN_SPREAD**-2, LONE_TAIL_SPREAD**-2]), False)
    precision = [0.0] * (len(leans) - 1)
    for lean in leans:
        precision += [0.0, 0.0, *([LEAN_SPREAD**-2, TAIL_SPREAD**-2] if lean else [])]
    return Prior(np.zeros(len(precision)), np.array(precision), len(leans) == 2)


def pooled_prior(value_P: FloatArray, leans: tuple[bool, ...]) -> Prior:
    """What the fit to all scores says of those of one class."""
    precision = [CLASS_WEIGHT_SPREAD**-2]
    for lean in leans:
        precision += [CLASS_PLACE_SPREAD**-2, CLASS_WIDTH_SPREAD**-2]
        precision += [LEAN_SPREAD**-2, TAIL_SPREAD**-2] if lean else []
    return Prior(value_P, np.array(precision), False)


@dataclass(frozen=True)
class SkewedFit:
    """What is fitted: points with their counts, which components may lean, and the least log spread of one."""

    point_M: FloatArray
    count_M: FloatArray
    leans: tuple[bool, ...]
    narrowest: float

    def objective(self, value_P: FloatArray, prior: Prior) -> tuple[float, FloatArray]:
        """Negative log-posterior per sample and its gradient (P,)."""
        leans, count_M = self.leans, self.count_M
        total = float(count_M.sum())
        weight_K, components = unpacked(value_P, leans)
        pairs = [density_gradient(self.point_M, component) for component in components]
        log_KM = np.stack([value for value, _ in pairs]) + np.log(weight_K)[:, None]
        sum_M = np.logaddexp.reduce(log_KM)
        share_KM = np.exp(log_KM - sum_M) * count_M
        gradient_P = np.zeros_like(value_P)
        gradient_P[: len(leans) - 1] = (share_KM.sum(axis=1) - total * weight_K)[1:]
        at = len(leans) - 1
        spread_at = []
        for k, lean in enumerate(leans):
            size = 4 if lean else 2
            gradient_P[at : at + size] = (pairs[k][1][:size] * share_KM[k]).sum(axis=1)
            spread_at.append(at + 1)
            at += size
        away_P = value_P - prior.centre_P
        penalty = 0.5 * float(prior.precision_P @ away_P**2)
        gradient_P -= prior.precision_P * away_P
        if prior.tied:
            ratio = value_P[spread_at[1]] - value_P[spread_at[0]]
            penalty += 0.5 * float(ratio / WIDTH_SPREAD) ** 2
            gradient_P[spread_at[1]] -= ratio / WIDTH_SPREAD**2
            gradient_P[spread_at[0]] += ratio / WIDTH_SPREAD**2
        return (penalty - float(count_M @ sum_M)) / total, -gradient_P / total

    def climbed(self, start_P: FloatArray, prior: Prior, held: float | None = None) -> OptimizeResult:
        """The likeliest parameters near a start; `held` fixes the log-odds of the second component."""
        most = LARGEST_LOG_ODDS
        bounds = [(-most, most) if held is None else (held, held)] * (len(self.leans) - 1)
        for lean in self.leans:
            bounds += [(-6.0, 6.0), (self.narrowest, 2.0), *([(-2.0, 2.0), (-0.7, 0.7)] if lean else [])]
        return minimize(
            self.objective,
            start_P,
            args=(prior,),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": STEPS, "ftol": 1e-9},
        )

    def best(self) -> OptimizeResult | None:
        """The likeliest of what is found from several starts; None where no fit stayed finite."""
        prior, best = shape_prior(self.leans), None
        for start_P in self._starts():
            found = self.climbed(start_P, prior)
            if np.isfinite(found.fun) and (best is None or found.fun < best.fun):
                best = found
        return best

    def _starts(self) -> list[FloatArray]:
        whole = self._group(np.ones(self.point_M.size, dtype=bool))
        if len(self.leans) == 1:
            return [np.array([*whole, 0.0, 0.0])]
        total = float(self.count_M.sum())
        share_M = np.cumsum(self.count_M) / total
        starts = []
        for cut in CUTS:
            low_M = share_M <= cut
            if low_M.any() and not low_M.all():
                share = float(np.clip(self.count_M[~low_M].sum() / total, 0.002, 0.998))
                starts.append(
                    self._start(np.log(share / (1.0 - share)), self._group(low_M), self._group(~low_M))
                )
        place, spread = whole
        return starts or [self._start(0.0, (place - 0.5, spread), (place + 0.5, spread))]

    def _start(self, log_odds: float, *groups: tuple[float, float]) -> FloatArray:
        values = [log_odds]
        for lean, group in zip(self.leans, groups, strict=True):
            values += [*group, *([0.0, 0.0] if lean else [])]
        return np.array(values)

    def _group(self, chosen_M: np.ndarray) -> tuple[float, float]:
        point_M, count_M = self.point_M[chosen_M], self.count_M[chosen_M]
        mean = float(np.average(point_M, weights=count_M))
        spread = float(np.sqrt(np.average((point_M - mean) ** 2, weights=count_M)))
        return mean, max(float(np.log(max(spread, 1e-9))), self.narrowest)
