"""Two skewed components on margins and log-losses, and how sure the scores are of the noisy one's weight.

Knows one vector of scores; must not know of verdicts. Departs from the paper: the clean component of a margin leans and
a plain Gaussian or beta then needs both its components for it (components: `sinh_arcsinh`; their fit: `skewed_fit`).
Shapes: N scores, M weighted points, G grid points, H held weights.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, logsumexp

from worker.noise.histogram import CHUNK, FloatArray, quantiles
from worker.noise.marginal import along_the_weight
from worker.noise.mixture import FEWEST_LOSSES, LARGEST, Mixture, finite
from worker.noise.scale import Scale
from worker.noise.sinh_arcsinh import Component, log_density
from worker.noise.skewed_fit import SkewedFit, pooled_prior, unpacked

POINTS = 200
"""Bins of the fit. Components are never narrower than a few of them, so their shape is resolved."""

GRID = 2001

Line = Literal["as given", "log-odds of the loss"]
"""How scores come onto the real line: margins lie there; a loss L = -log p becomes -logit(p) = log(exp(L) - 1)."""


class SkewedMixture(Mixture):
    """Two such components by maximum a posteriori (L-BFGS on a histogram, from several starts).

    `components` is 1 or 2; with `noisy_leans` the noisy one may lean as well. `line` as in Line. After `fit`, beside the
    base class's: `components_`, `evidence_` (log-likelihood of all scores less log(N)/2 for each free parameter, nats). The
    posterior is that of the likeliest fit until `marginalise` averages it.
    """

    name: ClassVar[str] = "gaussian"

    def __init__(self, components: int = 2, noisy_leans: bool = False, line: Line = "as given") -> None:
        self.components = components
        self.noisy_leans = noisy_leans
        self.line: Line = line

    def fit(self, loss: ArrayLike) -> Self:
        """Fits the components to the scores (N,); never raises, see `reason_`."""
        score_N = finite(np.asarray(loss, dtype=np.float64).ravel())
        self.weights_ = np.array([1.0, 0.0])
        self.means_ = np.zeros(2)
        self.log_likelihood_, self.evidence_ = 0.0, -np.inf
        self.converged_, self.iterations_ = False, 0
        self.scale_, self.reason_ = None, None
        self.components_: tuple[Component, ...] = (Component(0.0, 1.0, 0.0, 1.0),) * 2
        if score_N.size < FEWEST_LOSSES:
            self.reason_ = f"only {score_N.size} losses; a mixture needs at least {FEWEST_LOSSES}"
        elif max(-float(score_N.min()), float(score_N.max())) >= LARGEST:
            self.reason_ = "the losses are too large to compute with"
        elif self.line != "as given" and float(score_N.min()) < 0.0:
            self.reason_ = "a loss below zero has no log-odds"
        else:
            self._fit_line(score_N)
        return self

    def posterior(self, loss: ArrayLike) -> FloatArray:
        """P(noisy | score) (N,) in [0, 1], monotone; a score that is not a number gets the noisy component's weight."""
        score_N = np.asarray(loss, dtype=np.float64)
        posterior_N = np.zeros(score_N.shape)
        if self.reason_ is not None or self.components < 2:
            return posterior_N
        flat_N, answer_N = score_N.reshape(-1), posterior_N.reshape(-1)
        for start in range(0, flat_N.size, CHUNK):
            part = slice(start, start + CHUNK)
            unit_P = self._unit(flat_N[part])
            answer_N[part] = expit(np.interp(unit_P, self._grid_G, self._odds_G))
        answer_N[np.isnan(flat_N)] = self.weights_[1]
        return posterior_N

    def density(self, loss: ArrayLike) -> FloatArray:
        """Weighted density (2, N) of each component at the scores, per unit of score."""
        score_N = np.asarray(loss, dtype=np.float64)
        if self.reason_ is not None:
            return np.zeros((2, *score_N.shape))
        unit_N = self._unit(score_N)
        slope_N = _slope(score_N, self.line)
        if self.line != "as given":  # below the smallest loss that is told apart there is nothing
            slope_N = np.where(score_N > SMALLEST_LOSS, slope_N, 0.0)
        return np.stack(
            [
                weight * np.exp(np.minimum(log_density(unit_N, component), 690.0)) * slope_N / self._width
                if weight > 0.0
                else np.zeros_like(unit_N)
                for weight, component in zip(self.weights_, self.components_, strict=True)
            ]
        )

    def _fit_line(self, score_N: FloatArray) -> None:
        line_N = on_line(score_N, self.line)
        low, middle, high = quantiles(line_N, (0.001, 0.5, 0.999))
        if not high - low > 1e-9 * max(abs(low), abs(high), 1e-9):
            low, high = float(line_N.min()), float(line_N.max())
        if not high - low > 1e-9 * max(abs(low), abs(high), 1e-9):
            self.reason_ = "all losses are equal"
            return
        self._centre, self._width = middle, (high - low) / 6.0
        edges = (np.array([low, high]) - middle) / self._width
        edges += np.array([-0.05, 0.05]) * (edges[1] - edges[0])
        # What lies beyond counts at the ends: an outlier must not pull a component after itself.
        count_M, edge_M = np.histogram(
            np.clip((line_N - middle) / self._width, edges[0], edges[1]),
            bins=POINTS,
            range=(edges[0], edges[1]),
        )
        self._edge_M, self._bin = edge_M, float(edge_M[1] - edge_M[0])
        point_M = (edge_M[1:] + edge_M[:-1]) / 2.0
        filled_M = count_M > 0
        if int(filled_M.sum()) < 3:
            self.reason_ = f"only {int(filled_M.sum())} different losses"
            return
        self.scale_ = Scale(
            float(middle + edges[0] * self._width), float(middle + edges[1] * self._width), 0.0
        )
        self._grid_G = np.linspace(edges[0] - 3.0, edges[1] + 3.0, GRID)
        self._search(point_M[filled_M], count_M[filled_M].astype(np.float64))
        jacobian = float(np.log(_slope(score_N, self.line)).mean())
        shift = jacobian - float(np.log(self._width))
        self._shift = shift
        self.log_likelihood_ += shift
        self.evidence_ += shift * score_N.size

    def _search(self, point_M: FloatArray, count_M: FloatArray) -> None:
        leans = (True,) if self.components == 1 else (True, self.noisy_leans)
        self._fit = SkewedFit(point_M, count_M, leans, narrowest=float(np.log(2.0 * self._bin)))
        best = self._fit.best()
        if best is None:
            self.reason_ = "the fit did not stay finite"
            return
        self.converged_, self.iterations_ = bool(best.success), int(best.nit)
        self._take(best.x)

    def _take(self, value_P: FloatArray) -> None:
        point_M, count_M = self._fit.point_M, self._fit.count_M
        total = float(count_M.sum())
        self._value_P = value_P
        weight_K, components = unpacked(value_P, self._fit.leans)
        density_KM = np.stack([log_density(point_M, component) for component in components])
        sum_M = np.logaddexp.reduce(density_KM + np.log(weight_K)[:, None])
        self.log_likelihood_ = float(count_M @ sum_M) / total
        self.evidence_ = self.log_likelihood_ * total - 0.5 * value_P.size * np.log(total)
        if self.components == 1:
            self.components_ = (components[0], components[0])
            return
        moments = [self._moments_of(component) for component in components]
        order = (0, 1) if moments[0][0] <= moments[1][0] else (1, 0)
        self.components_ = tuple(components[k] for k in order)
        self._moments_2 = tuple(moments[k] for k in order)
        self.weights_ = weight_K[list(order)]
        self.means_ = np.array([self._score_at(mean) for mean, _ in self._moments_2])
        if self.weights_.min() * total < 3.0:
            self._collapse("one component took all samples")
        elif not self._moments_2[1][0] > self._moments_2[0][0]:
            self._collapse("both components have the same mean")
        else:
            self._odds_G = self._monotone_odds()

    def marginalise(self) -> Self:
        """Averages the posterior over the noisy component's weight (see `marginal`); what the fit itself is stays.

        `weight_interval_` then holds the weights in the middle 95 % of their probability.
        """
        if self.reason_ is not None or self.components < 2:
            return self
        weight_H, log_probability_H, odds_HG = [], [], []
        for held in along_the_weight(self._fit, self._value_P):
            fit = copy(self)
            fit._take(held.value_P)
            if fit.reason_ is None:
                weight_H.append(float(fit.weights_[1]))
                log_probability_H.append(held.log_probability)
                odds_HG.append(fit._odds_G)
        share_H = np.array(log_probability_H) - logsumexp(log_probability_H)
        stack_HG = np.stack(odds_HG)
        noisy_G, clean_G = (
            logsumexp(log_expit(sign * stack_HG) + share_H[:, None], axis=0) for sign in (1.0, -1.0)
        )
        self._odds_G = noisy_G - clean_G
        self.weight_interval_ = _middle(np.array(weight_H), np.exp(share_H))
        return self

    def near(self, score: ArrayLike) -> tuple[SkewedMixture, float]:
        """This fit drawn towards the scores of one class, and by how many nats it is likelier for them (priced)."""
        score_N = finite(np.asarray(score, dtype=np.float64).ravel())
        unit_N = np.clip(self._unit(score_N), self._edge_M[0], self._edge_M[-1])
        count_M = np.histogram(unit_N, bins=self._edge_M)[0].astype(np.float64)
        filled_M = count_M > 0
        closer = copy(self)
        closer._fit = replace(
            self._fit,
            point_M=((self._edge_M[1:] + self._edge_M[:-1]) / 2.0)[filled_M],
            count_M=count_M[filled_M],
        )
        prior = pooled_prior(self._value_P, self._fit.leans)
        before = closer._fit.objective(self._value_P, prior)[0]
        found = closer._fit.climbed(self._value_P, prior)
        if not np.isfinite(found.fun) or not found.fun < before:
            return copy(self), 0.0
        closer._take(found.x)
        closer.log_likelihood_ += self._shift
        if closer.reason_ is not None:
            return copy(self), 0.0
        return closer, float(before - found.fun) * float(count_M.sum())

    def _moments_of(self, component: Component) -> tuple[float, float]:
        weight_G = np.exp(log_density(self._grid_G, component))
        weight_G /= max(float(weight_G.sum()), 1e-300)
        mean = float(weight_G @ self._grid_G)
        return mean, max(float(weight_G @ (self._grid_G - mean) ** 2), 1e-12)

    def _monotone_odds(self) -> FloatArray:
        """Log-odds of noisy on the grid; where they would turn they keep the value of their turning point."""
        odds_G = (
            np.log(self.weights_[1] / self.weights_[0])
            + log_density(self._grid_G, self.components_[1])
            - log_density(self._grid_G, self.components_[0])
        )
        left, right = (int(np.searchsorted(self._grid_G, mean)) for mean, _ in self._moments_2)
        left, right = min(left, GRID - 1), min(max(right, left + 1), GRID)
        anchor = left + int(np.abs(odds_G[left:right]).argmin()) if right > left else left
        odds_G[anchor:] = np.maximum.accumulate(odds_G[anchor:])
        odds_G[: anchor + 1] = np.minimum.accumulate(odds_G[anchor::-1])[::-1]
        bounded_G: FloatArray = np.clip(odds_G, -700.0, 700.0)
        return bounded_G

    def _unit(self, score_N: FloatArray) -> FloatArray:
        known_N = np.nan_to_num(score_N, nan=0.0, posinf=LARGEST, neginf=-LARGEST)
        unit_N: FloatArray = np.clip((on_line(known_N, self.line) - self._centre) / self._width, -12.0, 12.0)
        return unit_N

    def _score_at(self, unit: float) -> float:
        line = self._centre + unit * self._width
        return line if self.line == "as given" else float(np.logaddexp(0.0, line))

    def _named(self) -> dict[str, FloatArray]:
        table = np.array(self.components_)
        return {name: table[:, k] for k, name in enumerate(("mu", "sigma", "lean", "tail"))}

    def _moments(self) -> tuple[FloatArray, FloatArray]:
        if self.components < 2:
            return np.zeros(2), np.ones(2)
        table = np.array(self._moments_2)
        return table[:, 0], table[:, 1]


SMALLEST_LOSS = 1e-7
"""A loss below it comes from rounding of single-precision probabilities near 1."""


def on_line(score_N: FloatArray, line: Line) -> FloatArray:
    """Scores (N,) on the real line."""
    if line == "as given":
        return score_N
    # log(exp(L) - 1) = L + log(1 - exp(-L)), which does not overflow.
    loss_N = np.maximum(score_N, SMALLEST_LOSS)
    line_N: FloatArray = loss_N + np.log(-np.expm1(-loss_N))
    return line_N


def _slope(score_N: FloatArray, line: Line) -> FloatArray:
    """How fast the line runs along the scores (N,)."""
    if line == "as given":
        return np.ones(score_N.shape)
    loss_N = np.maximum(score_N, SMALLEST_LOSS)
    slope_N: FloatArray = -1.0 / np.expm1(-loss_N)
    return slope_N


def _middle(weight_H: FloatArray, share_H: FloatArray) -> tuple[float, float]:
    """The weights at 2.5 and 97.5 % of their probability."""
    order_H = np.argsort(weight_H)
    below_H = np.cumsum(share_H[order_H])
    low, high = np.searchsorted(below_H, (0.025, 0.975))
    return float(weight_H[order_H[low]]), float(weight_H[order_H[min(int(high), order_H.size - 1)]])
