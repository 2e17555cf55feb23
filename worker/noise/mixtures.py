"""Two-component mixtures on losses (paper, Sec. 3.1), settled so that every input has a defined answer.

Knows vectors of losses; must not know where they came from.
Shapes: N losses, M weighted points of the fit (losses, or the bins of their histogram), 2 components
(0 clean, 1 noisy: the noisy one is the component with the larger mean).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, digamma, expit, polygamma

from worker.noise.scale import FloatArray, Normalisation, Scale, scale_of

FEWEST_LOSSES = 50
"""Below this a two-component fit follows single samples."""

HISTOGRAM_FROM = 8192
"""From this many losses on EM runs on a histogram of BINS bins: posterior error below 1e-5, cost independent of N."""

BINS = 4096

LARGEST = 1e150
"""From here on differences of losses and their squares would not stay finite."""

SMALLEST_VARIANCE = 1e-6
"""In units of the squared range: keeps a component that shrank onto one value finite."""


class Mixture(ABC):
    """Two components fitted by expectation maximisation (Eq. 4, 8), keeping the most likely iterate.

    Settings: `normalisation` and `tail` as in `scale_of`; `iterations` of EM (the paper: 10); EM ends earlier
    when the mean log-likelihood gains less than `tolerance`.

    After `fit`: `weights_` (2,), `means_` (2,) on the scale of the losses, `log_likelihood_` (mean per loss,
    density on the scale of the losses, nats), `converged_`, `iterations_`, `scale_`, and `reason_`: None, or why there is no
    mixture to speak of (then every posterior is 0).
    """

    name: ClassVar[str]

    def __init__(
        self,
        normalisation: Normalisation = "percentile",
        tail: float = 0.01,
        iterations: int = 10,
        tolerance: float = 1e-7,
    ) -> None:
        self.normalisation: Normalisation = normalisation
        self.tail = tail
        self.iterations = iterations
        self.tolerance = tolerance

    def fit(self, loss: ArrayLike) -> Self:
        """Fits both components to the losses (N,); never raises, see `reason_`."""
        loss_N = np.asarray(loss, dtype=np.float64).ravel()
        finite_N = loss_N[np.isfinite(loss_N)]
        self.weights_ = np.array([1.0, 0.0])
        self.means_ = np.zeros(2)
        self.log_likelihood_ = 0.0
        self.converged_ = False
        self.iterations_ = 0
        self.scale_: Scale | None = None
        self.reason_: str | None = None
        self._lowest, self._highest = 0.0, 1.0
        self._start()
        if finite_N.size < FEWEST_LOSSES:
            self.reason_ = f"only {finite_N.size} losses; a mixture needs at least {FEWEST_LOSSES}"
            return self
        if np.abs(finite_N).max() >= LARGEST:
            self.reason_ = "the losses are too large to compute with"
            return self
        self.scale_ = scale_of(finite_N, self.normalisation, self.tail)
        if self.scale_ is None:
            self.reason_ = "all losses are equal"
            return self
        inside_N = finite_N[self.scale_.inside(finite_N)]
        point_M, count_M = _weighted_points(self.scale_.apply(inside_N))
        if point_M.size < 3:
            self.reason_ = f"only {point_M.size} different losses"
            return self
        self._expectation_maximisation(point_M, count_M)
        return self

    def posterior(self, loss: ArrayLike) -> FloatArray:
        """P(noisy | loss) (N,) in [0, 1], Eq. 9, made monotone non-decreasing in the loss.

        Eq. 9 itself may fall again towards small or large losses when the components differ in width; there
        the posterior keeps the value of its turning point. A loss that is not a number says nothing: it gets
        the noisy component's weight.
        """
        loss_N = np.asarray(loss, dtype=np.float64)
        if self.scale_ is None or self.reason_ is not None:
            return np.zeros(loss_N.shape)
        unit_N = self.scale_.apply(np.nan_to_num(loss_N, nan=self.scale_.low, posinf=np.inf, neginf=-np.inf))
        log_2N = self._weighted_log_density(np.clip(unit_N, self._lowest, self._highest))
        posterior_N: FloatArray = expit(log_2N[1] - log_2N[0])
        return np.where(np.isnan(loss_N), self.weights_[1], posterior_N)

    def density(self, loss: ArrayLike) -> FloatArray:
        """Weighted density (2, N) of each component at the losses, per unit of loss; their sum is the mixture."""
        loss_N = np.asarray(loss, dtype=np.float64)
        if self.scale_ is None or self.reason_ is not None:
            return np.zeros((2, *loss_N.shape))
        density_2N = np.exp(self._weighted_log_density(self.scale_.apply(loss_N))) / self.scale_.width
        return np.where(self.scale_.inside(loss_N) | self._unbounded, density_2N, 0.0)

    @property
    def separation(self) -> float:
        """Ashman's D: distance of the means over their mean spread; above 2 two bumps can be told apart."""
        if self.scale_ is None or self.reason_ is not None:
            return 0.0
        mean_2, variance_2 = self._moments()
        return float(np.sqrt(2.0) * (mean_2[1] - mean_2[0]) / np.sqrt(variance_2.sum()))

    def parameters(self) -> dict[str, list[float]]:
        """The components' parameters on the normalised scale, clean first, JSON-ready."""
        return {key: [float(value) for value in value_2] for key, value_2 in self._named().items()}

    def describe(self) -> dict[str, Any]:
        """Everything a reader of the fit needs, JSON-ready: parameters, weights, range, likelihood, reason."""
        return {
            "parameters": self.parameters(),
            "weights": [float(value) for value in self.weights_],
            "means": [float(value) for value in self.means_],
            "range": None if self.scale_ is None else [self.scale_.low, self.scale_.high],
            "separation": self.separation,
            "log_likelihood": float(self.log_likelihood_),
            "iterations": self.iterations_,
            "converged": self.converged_,
            "reason": self.reason_,
        }

    def _expectation_maximisation(self, point_M: FloatArray, count_M: FloatArray) -> None:
        assert self.scale_ is not None
        total = float(count_M.sum())
        self.weights_ = np.array([0.5, 0.5])
        self._prepare(point_M)
        best_likelihood, best_state = -np.inf, self._state()
        last = -np.inf
        for iteration in range(self.iterations + 1):
            log_2M = self._prepared_log_density()
            sum_M = np.logaddexp(log_2M[0], log_2M[1])
            likelihood = float(count_M @ sum_M) / total
            if not np.isfinite(likelihood):
                break
            # The moment M-step does not maximise the likelihood, so more iterations can be worse.
            if likelihood > best_likelihood:
                best_likelihood, best_state, self.iterations_ = likelihood, self._state(), iteration
            if abs(likelihood - last) < self.tolerance:
                self.converged_ = True
                break
            last = likelihood
            share_2M = np.exp(log_2M - sum_M) * count_M  # Eq. 4
            mass_2 = share_2M.sum(axis=1)
            if mass_2.min() < 1.0:
                break
            self.weights_ = mass_2 / total  # Eq. 8
            self._maximise(share_2M / mass_2[:, None])
        self._restore(best_state)
        self._forget()
        self._order()
        self.log_likelihood_ = best_likelihood - np.log(self.scale_.width)
        mean_2, _ = self._moments()
        self.means_ = self.scale_.low + mean_2 * self.scale_.width
        if not np.isfinite(best_likelihood) or not np.isfinite(mean_2).all():
            self._collapse("the fit did not stay finite")
        elif self.weights_.min() * total < 3.0:
            self._collapse("one component took all samples")
        elif not mean_2[1] > mean_2[0]:
            self._collapse("both components have the same mean")
        else:
            self._lowest, self._highest = self._monotone_range()

    def _collapse(self, reason: str) -> None:
        self.reason_ = reason
        self.converged_ = False
        self.weights_ = np.array([1.0, 0.0])

    def _order(self) -> None:
        mean_2, _ = self._moments()
        if mean_2[0] > mean_2[1]:
            self.weights_ = self.weights_[::-1].copy()
            for key, value_2 in self._named().items():
                setattr(self, f"{key}_", value_2[::-1].copy())

    def _state(self) -> tuple[FloatArray, dict[str, FloatArray]]:
        return self.weights_.copy(), {key: value.copy() for key, value in self._named().items()}

    def _restore(self, state: tuple[FloatArray, dict[str, FloatArray]]) -> None:
        self.weights_ = state[0]
        for key, value_2 in state[1].items():
            setattr(self, f"{key}_", value_2)

    _unbounded: ClassVar[bool]
    """Whether the density reaches beyond the range of the scale."""

    @abstractmethod
    def _start(self) -> None: ...

    @abstractmethod
    def _named(self) -> dict[str, FloatArray]: ...

    @abstractmethod
    def _moments(self) -> tuple[FloatArray, FloatArray]:
        """Means and variances (2,) on the normalised scale."""

    @abstractmethod
    def _prepare(self, point_M: FloatArray) -> None:
        """Stores what the density of every iteration needs of the points."""

    @abstractmethod
    def _prepared_log_density(self) -> FloatArray: ...

    @abstractmethod
    def _forget(self) -> None: ...

    @abstractmethod
    def _weighted_log_density(self, unit_N: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _maximise(self, share_2M: FloatArray) -> None:
        """The M-step; each row of shares sums to one."""

    @abstractmethod
    def _monotone_range(self) -> tuple[float, float]:
        """The part of [0, 1] on which the log-odds of noisy rise."""


class BetaMixture(Mixture):
    """Two beta components on the normalised losses (Eq. 3), `alpha_` and `beta_` (2,) after the fit.

    `estimator` "moments" is the paper's M-step (Eq. 5–7); "likelihood" solves the weighted likelihood
    equations instead, by Newton steps.
    """

    name = "beta"
    _unbounded = False

    def __init__(
        self,
        normalisation: Normalisation = "percentile",
        tail: float = 0.01,
        iterations: int = 10,
        tolerance: float = 1e-7,
        estimator: str = "moments",
    ) -> None:
        super().__init__(normalisation, tail, iterations, tolerance)
        if estimator not in ("moments", "likelihood"):
            raise ValueError(f"estimator is 'moments' or 'likelihood', not {estimator!r}")
        self.estimator = estimator

    def _start(self) -> None:
        # The released code's start: one component falls, the other rises.
        self.alpha_, self.beta_ = np.array([1.0, 2.0]), np.array([2.0, 1.0])

    def _named(self) -> dict[str, FloatArray]:
        return {"alpha": self.alpha_, "beta": self.beta_}

    def _moments(self) -> tuple[FloatArray, FloatArray]:
        sum_2 = self.alpha_ + self.beta_
        mean_2 = self.alpha_ / sum_2
        return mean_2, mean_2 * (1.0 - mean_2) / (sum_2 + 1.0)

    def _prepare(self, point_M: FloatArray) -> None:
        self._point_M, self._log_M, self._log1m_M = point_M, np.log(point_M), np.log1p(-point_M)

    def _forget(self) -> None:
        del self._point_M, self._log_M, self._log1m_M

    def _log_density(self, log_N: FloatArray, log1m_N: FloatArray) -> FloatArray:
        constant_2 = np.log(np.maximum(self.weights_, 1e-300)) - betaln(self.alpha_, self.beta_)
        return np.stack([
            (a - 1.0) * log_N + (b - 1.0) * log1m_N + c
            for a, b, c in zip(self.alpha_, self.beta_, constant_2, strict=True)
        ])  # fmt: skip

    def _prepared_log_density(self) -> FloatArray:
        return self._log_density(self._log_M, self._log1m_M)

    def _weighted_log_density(self, unit_N: FloatArray) -> FloatArray:
        return self._log_density(np.log(unit_N), np.log1p(-unit_N))

    def _maximise(self, share_2M: FloatArray) -> None:
        mean_2 = share_2M @ self._point_M  # Eq. 6
        variance_2 = share_2M @ self._point_M**2 - mean_2**2  # Eq. 7
        bound_2 = mean_2 * (1.0 - mean_2)
        variance_2 = np.clip(variance_2, np.minimum(SMALLEST_VARIANCE, bound_2 * 0.5), bound_2 * (1.0 - 1e-6))
        self.alpha_ = mean_2 * (bound_2 / variance_2 - 1.0)  # Eq. 5
        self.beta_ = self.alpha_ * (1.0 - mean_2) / mean_2
        if self.estimator == "likelihood":
            for k in range(2):
                self.alpha_[k], self.beta_[k] = beta_maximum_likelihood(
                    float(share_2M[k] @ self._log_M),
                    float(share_2M[k] @ self._log1m_M),
                    (float(self.alpha_[k]), float(self.beta_[k])),
                )

    def _monotone_range(self) -> tuple[float, float]:
        # The log-odds are a log x + b log(1 - x) + c: monotone unless a and b have one sign, then turning once.
        a, b = float(self.alpha_[1] - self.alpha_[0]), float(self.beta_[1] - self.beta_[0])
        if a < 0.0 and b < 0.0:
            return a / (a + b), 1.0
        if a > 0.0 and b > 0.0:
            return 0.0, a / (a + b)
        return 0.0, 1.0


class GaussianMixture(Mixture):
    """Two Gaussian components on the normalised losses, `mu_` and `sigma_` (2,) after the fit."""

    name = "gaussian"
    _unbounded = True

    def __init__(
        self,
        normalisation: Normalisation = "percentile",
        tail: float = 0.01,
        iterations: int = 100,
        tolerance: float = 1e-7,
    ) -> None:
        super().__init__(normalisation, tail, iterations, tolerance)

    def _start(self) -> None:
        self.mu_, self.sigma_ = np.array([0.2, 0.8]), np.array([0.2, 0.2])

    def _named(self) -> dict[str, FloatArray]:
        return {"mu": self.mu_, "sigma": self.sigma_}

    def _moments(self) -> tuple[FloatArray, FloatArray]:
        return self.mu_, self.sigma_**2

    def _prepare(self, point_M: FloatArray) -> None:
        self._point_M = point_M

    def _forget(self) -> None:
        del self._point_M

    def _prepared_log_density(self) -> FloatArray:
        return self._weighted_log_density(self._point_M)

    def _weighted_log_density(self, unit_N: FloatArray) -> FloatArray:
        log_weight_2 = np.log(np.maximum(self.weights_, 1e-300)) - 0.5 * np.log(2.0 * np.pi)
        return np.stack([
            c - np.log(s) - 0.5 * ((unit_N - m) / s) ** 2
            for m, s, c in zip(self.mu_, self.sigma_, log_weight_2, strict=True)
        ])  # fmt: skip

    def _maximise(self, share_2M: FloatArray) -> None:
        self.mu_ = share_2M @ self._point_M
        variance_2 = share_2M @ self._point_M**2 - self.mu_**2
        self.sigma_ = np.sqrt(np.maximum(variance_2, SMALLEST_VARIANCE))

    def _monotone_range(self) -> tuple[float, float]:
        # The log-odds are a parabola; beyond its vertex they turn.
        precision_2 = 1.0 / self.sigma_**2
        curvature = float(precision_2[0] - precision_2[1])
        slope_at_zero = float(self.mu_[1] * precision_2[1] - self.mu_[0] * precision_2[0])
        if curvature > 0.0:
            return float(np.clip(-slope_at_zero / curvature, 0.0, 1.0)), 1.0
        if curvature < 0.0:
            return 0.0, float(np.clip(-slope_at_zero / curvature, 0.0, 1.0))
        return 0.0, 1.0


def _weighted_points(unit_N: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The points an EM step has to visit, with their counts: the values, or the means of histogram bins."""
    if unit_N.size < HISTOGRAM_FROM:
        return unit_N, np.ones(unit_N.size)
    bin_N = np.minimum((unit_N * BINS).astype(np.int64), BINS - 1)
    count_M = np.bincount(bin_N, minlength=BINS).astype(np.float64)
    sum_M = np.bincount(bin_N, weights=unit_N, minlength=BINS)
    filled_M = count_M > 0
    return sum_M[filled_M] / count_M[filled_M], count_M[filled_M]


def beta_maximum_likelihood(
    mean_log: float, mean_log1m: float, start: tuple[float, float], steps: int = 20
) -> tuple[float, float]:
    """The beta parameters whose expected log x and log(1 - x) are the given ones (Newton on the digammas).

    The likelihood is concave in (alpha, beta), so a step that leaves the positive quadrant is halved.
    """
    a, b = start
    for _ in range(steps):
        total = digamma(a + b)
        gradient_a, gradient_b = mean_log - (digamma(a) - total), mean_log1m - (digamma(b) - total)
        curve = float(polygamma(1, a + b))
        h_aa, h_bb = curve - float(polygamma(1, a)), curve - float(polygamma(1, b))
        determinant = h_aa * h_bb - curve * curve
        if not np.isfinite(determinant) or determinant <= 0.0:
            break
        step_a = (h_bb * gradient_a - curve * gradient_b) / determinant
        step_b = (h_aa * gradient_b - curve * gradient_a) / determinant
        size = 1.0
        while (a - size * step_a <= 0.0 or b - size * step_b <= 0.0) and size > 1e-6:
            size *= 0.5
        a, b = float(np.clip(a - size * step_a, 1e-4, 1e7)), float(np.clip(b - size * step_b, 1e-4, 1e7))
        if abs(step_a) < 1e-10 * a and abs(step_b) < 1e-10 * b:
            break
    return a, b
