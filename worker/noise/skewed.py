"""Two bumps on the real line, each a Gaussian that may lean and have heavier or lighter tails; on margins and log-losses.

Knows one vector of scores; must not know of verdicts. Departs from the paper: the clean component of a margin leans and
a plain Gaussian or beta then needs both its components for it.
Shapes: N scores, M weighted points, P parameters.

A component is a sinh-arcsinh distribution (Jones and Pewsey 2009, Biometrika 96(4), Eq. 1–2): with z = (x - place) /
spread, sinh(tail · arcsinh(z) - lean) is a standard Gaussian; lean 0 and tail 1 give the Gaussian itself.
"""

from __future__ import annotations

from copy import copy
from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult, minimize
from scipy.special import expit

from worker.noise.histogram import CHUNK, FloatArray, quantiles
from worker.noise.mixture import FEWEST_LOSSES, LARGEST, Mixture, finite
from worker.noise.scale import Scale

POINTS = 200
"""Bins of the fit. Components are never narrower than a few of them, so their shape is resolved."""

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

GRID = 2001
STEPS = 150

Line = Literal["as given", "log-odds of the loss"]
"""How scores come onto the real line: margins lie there; a loss L = -log p becomes -logit(p) = log(exp(L) - 1)."""


class Component(NamedTuple):
    """Parameters of one bump on the standardised line."""

    place: float
    spread: float
    lean: float
    tail: float


class SkewedMixture(Mixture):
    """Two such components by maximum a posteriori (L-BFGS on a histogram, from several starts).

    `components` is 1 or 2; with `noisy_leans` the noisy one may lean as well. `line` as in Line. After `fit`, beside the
    base class's: `components_`, `evidence_` (log-likelihood of all scores less log(N)/2 for each free parameter, nats).
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
        best = None
        narrowest = float(np.log(2.0 * self._bin))
        for start_P in _starts(point_M, count_M, leans, narrowest):
            found = _climbed(start_P, point_M, count_M, leans, _shape_prior(leans), narrowest)
            if np.isfinite(found.fun) and (best is None or found.fun < best.fun):
                best = found
        if best is None:
            self.reason_ = "the fit did not stay finite"
            return
        self.converged_, self.iterations_ = bool(best.success), int(best.nit)
        self._take(best.x, leans, point_M, count_M)

    def _take(
        self, value_P: FloatArray, leans: tuple[bool, ...], point_M: FloatArray, count_M: FloatArray
    ) -> None:
        total = float(count_M.sum())
        self._value_P, self._leans = value_P, leans
        weight_K, components = _unpacked(value_P, leans)
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

    def near(self, score: ArrayLike) -> tuple[SkewedMixture, float]:
        """This fit drawn towards the scores of one class, and by how many nats it is likelier for them (priced)."""
        score_N = finite(np.asarray(score, dtype=np.float64).ravel())
        unit_N = np.clip(self._unit(score_N), self._edge_M[0], self._edge_M[-1])
        count_M = np.histogram(unit_N, bins=self._edge_M)[0].astype(np.float64)
        filled_M = count_M > 0
        point_M, count_M = ((self._edge_M[1:] + self._edge_M[:-1]) / 2.0)[filled_M], count_M[filled_M]
        prior = _pooled_prior(self._value_P, self._leans)
        before = _objective(self._value_P, point_M, count_M, self._leans, prior)[0]
        narrowest = float(np.log(2.0 * self._bin))
        found = _climbed(self._value_P, point_M, count_M, self._leans, prior, narrowest)
        closer = copy(self)
        if not np.isfinite(found.fun) or not found.fun < before:
            return closer, 0.0
        closer._take(found.x, self._leans, point_M, count_M)
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


def log_density(unit_N: FloatArray, component: Component) -> FloatArray:
    """Log-density (N,) of a component."""
    value_N, _ = _log_density(unit_N, component)
    return value_N


def _log_density(unit_N: FloatArray, c: Component) -> tuple[FloatArray, FloatArray]:
    """Log-density (N,) and its gradient (4, N) in place, log spread, lean, log tail."""
    z_N = (unit_N - c.place) / c.spread
    arc_N = np.arcsinh(z_N)
    u_N = np.clip(c.tail * arc_N - c.lean, -30.0, 30.0)
    s_N, cosh_N, root_N = np.sinh(u_N), np.cosh(u_N), 1.0 + z_N * z_N
    value_N = (
        np.log(c.tail / c.spread)
        + np.log(cosh_N)
        - 0.5 * np.log(root_N)
        - 0.5 * s_N * s_N
        - 0.5 * np.log(2.0 * np.pi)
    )
    du_N = np.tanh(u_N) - s_N * cosh_N
    dz_N = du_N * c.tail / np.sqrt(root_N) - z_N / root_N
    return value_N, np.stack([-dz_N / c.spread, -1.0 - dz_N * z_N, -du_N, 1.0 + c.tail * arc_N * du_N])


def _unpacked(value_P: FloatArray, leans: tuple[bool, ...]) -> tuple[FloatArray, list[Component]]:
    logit_K = np.append(0.0, value_P[: len(leans) - 1])
    weight_K = np.exp(logit_K - logit_K.max())
    components, at = [], len(leans) - 1
    for lean in leans:
        size = 4 if lean else 2
        part = [float(value) for value in value_P[at : at + size]] + [0.0, 0.0]
        components.append(Component(part[0], float(np.exp(part[1])), part[2], float(np.exp(part[3]))))
        at += size
    return weight_K / weight_K.sum(), components


class _Prior(NamedTuple):
    """A Gaussian prior on every parameter, and whether both spreads are held together."""

    centre_P: FloatArray
    precision_P: FloatArray
    tied: bool


def _shape_prior(leans: tuple[bool, ...]) -> _Prior:
    if len(leans) == 1:
        return _Prior(np.zeros(4), np.array([0.0, 0.0, LONE_LEAN_SPREAD**-2, LONE_TAIL_SPREAD**-2]), False)
    precision = [0.0] * (len(leans) - 1)
    for lean in leans:
        precision += [0.0, 0.0, *([LEAN_SPREAD**-2, TAIL_SPREAD**-2] if lean else [])]
    return _Prior(np.zeros(len(precision)), np.array(precision), len(leans) == 2)


def _pooled_prior(value_P: FloatArray, leans: tuple[bool, ...]) -> _Prior:
    precision = [CLASS_WEIGHT_SPREAD**-2]
    for lean in leans:
        precision += [CLASS_PLACE_SPREAD**-2, CLASS_WIDTH_SPREAD**-2]
        precision += [LEAN_SPREAD**-2, TAIL_SPREAD**-2] if lean else []
    return _Prior(value_P, np.array(precision), False)


def _objective(
    value_P: FloatArray, point_M: FloatArray, count_M: FloatArray, leans: tuple[bool, ...], prior: _Prior
) -> tuple[float, FloatArray]:
    """Negative log-posterior per sample and its gradient (P,)."""
    total = float(count_M.sum())
    weight_K, components = _unpacked(value_P, leans)
    pairs = [_log_density(point_M, component) for component in components]
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


def _climbed(
    start_P: FloatArray,
    point_M: FloatArray,
    count_M: FloatArray,
    leans: tuple[bool, ...],
    prior: _Prior,
    narrowest: float,
) -> OptimizeResult:
    bounds = [(-7.0, 7.0)] * (len(leans) - 1)
    for lean in leans:
        bounds += [(-6.0, 6.0), (narrowest, 2.0), *([(-2.0, 2.0), (-0.7, 0.7)] if lean else [])]
    return minimize(
        _objective,
        start_P,
        args=(point_M, count_M, leans, prior),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": STEPS, "ftol": 1e-9},
    )


def _starts(
    point_M: FloatArray, count_M: FloatArray, leans: tuple[bool, ...], narrowest: float
) -> list[FloatArray]:
    share_M = np.cumsum(count_M) / count_M.sum()
    whole = _group(point_M, count_M, narrowest)
    if len(leans) == 1:
        return [np.array([*whole, 0.0, 0.0])]
    starts = []
    for cut in CUTS:
        low_M = share_M <= cut
        if not low_M.any() or low_M.all():
            continue
        groups = [_group(point_M[part_M], count_M[part_M], narrowest) for part_M in (low_M, ~low_M)]
        share = float(np.clip(count_M[~low_M].sum() / count_M.sum(), 0.002, 0.998))
        values = [np.log(share / (1.0 - share))]
        for lean, group in zip(leans, groups, strict=True):
            values += [*group, *([0.0, 0.0] if lean else [])]
        starts.append(np.array(values))
    return starts or [
        np.array(
            [
                0.0,
                whole[0] - 0.5,
                whole[1],
                *([0.0, 0.0] * leans[0]),
                whole[0] + 0.5,
                whole[1],
                *([0.0, 0.0] * leans[1]),
            ]
        )
    ]


def _group(point_M: FloatArray, count_M: FloatArray, narrowest: float) -> tuple[float, float]:
    mean = float(np.average(point_M, weights=count_M))
    spread = float(np.sqrt(np.average((point_M - mean) ** 2, weights=count_M)))
    return mean, max(float(np.log(max(spread, 1e-9))), narrowest)
