"""Two-component mixtures on losses (paper, Sec. 3.1), settled so that every input has a defined answer.

Knows vectors of losses and expectation maximisation; must not know the families of components, nor where losses
came from.
Shapes: N losses, M weighted points of the fit (losses, or the bins of their histogram), 2 components
(0 clean, 1 noisy: the noisy one is the component with the larger mean).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from worker.noise.histogram import CHUNK, FloatArray, weighted_points
from worker.noise.scale import Normalisation, Scale, scale_of

FEWEST_LOSSES = 50
"""Below this a two-component fit follows single samples."""

LARGEST = 1e150
"""From here on differences of losses and their squares would not stay finite."""

SMALLEST_VARIANCE = 1e-6
"""In units of the squared range: keeps a component that shrank onto one value finite."""


class Mixture(ABC):
    """Two fitted components on a vector of losses; what every family of them has.

    After `fit`: `weights_` (2,), `means_` (2,) on the scale of the losses, `log_likelihood_` (mean per loss,
    density on the scale of the losses, nats), `converged_`, `iterations_`, `scale_`, and `reason_`: None, or why there is no
    mixture to speak of (then every posterior is 0).
    """

    name: ClassVar[str]
    weights_: FloatArray
    means_: FloatArray
    log_likelihood_: float
    converged_: bool
    iterations_: int
    scale_: Scale | None
    reason_: str | None
    weight_interval_: tuple[float, float] | None = None
    """Between which weights of the noisy component the losses do not tell, where that was asked."""

    @abstractmethod
    def fit(self, loss: ArrayLike) -> Self:
        """Fits both components to the losses (N,); never raises, see `reason_`."""

    @abstractmethod
    def posterior(self, loss: ArrayLike) -> FloatArray:
        """P(noisy | loss) (N,) in [0, 1], monotone non-decreasing in the loss."""

    @abstractmethod
    def density(self, loss: ArrayLike) -> FloatArray:
        """Weighted density (2, N) of each component at the losses, per unit of loss; their sum is the mixture."""

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

    def _collapse(self, reason: str) -> None:
        self.reason_ = reason
        self.converged_ = False
        self.weights_ = np.array([1.0, 0.0])

    @abstractmethod
    def _named(self) -> dict[str, FloatArray]: ...

    @abstractmethod
    def _moments(self) -> tuple[FloatArray, FloatArray]:
        """Means and variances (2,) on the normalised scale."""


class ExpectationMaximisation(Mixture):
    """Two components fitted by expectation maximisation (Eq. 4, 8), keeping the most likely iterate.

    Settings: `normalisation` and `tail` as in `scale_of`; `iterations` of EM (the paper: 10); EM ends earlier
    when the mean log-likelihood gains less than `tolerance`.
    """

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
        finite_N = finite(loss_N)
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
        if max(-float(finite_N.min()), float(finite_N.max())) >= LARGEST:
            self.reason_ = "the losses are too large to compute with"
            return self
        self.scale_ = scale_of(finite_N, self.normalisation, self.tail)
        if self.scale_ is None:
            self.reason_ = "all losses are equal"
            return self
        point_M, count_M = weighted_points(finite_N, self.scale_.low, self.scale_.high, self.scale_.clamp)
        if point_M.size < 3:
            self.reason_ = f"only {point_M.size} different losses"
            return self
        self._fit(point_M, count_M)
        return self

    def posterior(self, loss: ArrayLike) -> FloatArray:
        """P(noisy | loss) (N,) in [0, 1], Eq. 9, made monotone non-decreasing in the loss.

        Eq. 9 itself may fall again towards small or large losses when the components differ in width; there
        the posterior keeps the value of its turning point. A loss that is not a number says nothing: it gets
        the noisy component's weight.
        """
        loss_N = np.asarray(loss, dtype=np.float64)
        posterior_N = np.zeros(loss_N.shape)
        if self.scale_ is None or self.reason_ is not None:
            return posterior_N
        flat_N, answer_N = loss_N.reshape(-1), posterior_N.reshape(-1)
        odds_K = np.diff(self._coefficients(), axis=0)[0]
        for start in range(0, flat_N.size, CHUNK):  # in parts: working memory that is used again is faster
            part = slice(start, start + CHUNK)
            unit_P = np.clip(self.scale_.apply(flat_N[part]), self._lowest, self._highest)
            expit(odds_K @ self._features(unit_P), out=answer_N[part])
        answer_N[np.isnan(flat_N)] = self.weights_[1]
        return posterior_N

    def density(self, loss: ArrayLike) -> FloatArray:
        """Weighted density (2, N) of each component at the losses, per unit of loss; their sum is the mixture."""
        loss_N = np.asarray(loss, dtype=np.float64)
        if self.scale_ is None or self.reason_ is not None:
            return np.zeros((2, *loss_N.shape))
        density_2N = np.exp(self._weighted_log_density(self.scale_.apply(loss_N))) / self.scale_.width
        return np.where(self.scale_.inside(loss_N) | self._unbounded, density_2N, 0.0)

    def _fit(self, point_M: FloatArray, count_M: FloatArray) -> None:
        assert self.scale_ is not None
        total = float(count_M.sum())
        self.weights_ = np.array([0.5, 0.5])
        feature_KM = self._features(point_M)
        counted_KM = feature_KM * count_M
        best_likelihood, best_state = -np.inf, self._state()
        last = -np.inf
        for iteration in range(self.iterations + 1):
            log_2M = self._coefficients() @ feature_KM
            odds_M = log_2M[1] - log_2M[0]
            share_M = np.exp(-np.abs(odds_M))
            likelihood = float(count_M @ (np.maximum(log_2M[0], log_2M[1]) + np.log1p(share_M))) / total
            if not np.isfinite(likelihood):
                break
            # The moment M-step does not maximise the likelihood, so more iterations can be worse.
            if likelihood > best_likelihood:
                best_likelihood, best_state, self.iterations_ = likelihood, self._state(), iteration
            if abs(likelihood - last) < self.tolerance:
                self.converged_ = True
                break
            last = likelihood
            noisy_M = np.where(odds_M >= 0.0, 1.0, share_M) / (1.0 + share_M)  # Eq. 4
            # Both sums are taken: the clean one as a difference would lose a small clean component in rounding.
            sum_2K = np.stack([counted_KM @ (1.0 - noisy_M), counted_KM @ noisy_M])
            mass_2 = sum_2K[:, 0]
            if mass_2.min() < 1.0:
                break
            self.weights_ = mass_2 / total  # Eq. 8
            self._maximise(sum_2K / mass_2[:, None])
        self._restore(best_state)
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

    def _weighted_log_density(self, unit_N: FloatArray) -> FloatArray:
        log_2N: FloatArray = self._coefficients() @ self._features(unit_N)
        return log_2N

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
    def _features(self, unit_N: FloatArray) -> FloatArray:
        """What the density and the M-step need of each point (K, N); row 0 is 1.

        Both families are exponential ones: the log-density is linear in these.
        """

    @abstractmethod
    def _coefficients(self) -> FloatArray:
        """Weighted log-density of each component as coefficients (2, K) of the features."""

    @abstractmethod
    def _maximise(self, mean_2K: FloatArray) -> None:
        """The M-step, from the features' means (2, K) over each component's share of the points."""

    @abstractmethod
    def _monotone_range(self) -> tuple[float, float]:
        """The part of [0, 1] on which the log-odds of noisy rise."""


def finite(loss_N: FloatArray) -> FloatArray:
    """The losses that are numbers; the same array, not a copy, where all are."""
    if loss_N.size and np.isfinite(loss_N.min()) and np.isfinite(loss_N.max()):
        return loss_N
    return loss_N[np.isfinite(loss_N)]
