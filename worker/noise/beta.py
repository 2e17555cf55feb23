"""The beta mixture of the paper (Sec. 3.1), by its moments or by maximum likelihood.

Knows the density, its M-step and where its log-odds turn; EM itself is the base class's.
Shapes: M weighted points, 2 components (0 clean, 1 noisy).
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, digamma, polygamma

from worker.noise.histogram import FloatArray
from worker.noise.mixture import SMALLEST_VARIANCE, ExpectationMaximisation
from worker.noise.scale import Normalisation


class BetaMixture(ExpectationMaximisation):
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

    def _features(self, unit_N: FloatArray) -> FloatArray:
        return np.stack([np.ones_like(unit_N), np.log(unit_N), np.log1p(-unit_N), unit_N, unit_N * unit_N])

    def _coefficients(self) -> FloatArray:
        constant_2 = np.log(np.maximum(self.weights_, 1e-300)) - betaln(self.alpha_, self.beta_)
        return np.stack([constant_2, self.alpha_ - 1.0, self.beta_ - 1.0, np.zeros(2), np.zeros(2)], axis=1)

    def _maximise(self, mean_2K: FloatArray) -> None:
        mean_2 = mean_2K[:, 3]  # Eq. 6
        variance_2 = mean_2K[:, 4] - mean_2**2  # Eq. 7
        bound_2 = mean_2 * (1.0 - mean_2)
        variance_2 = np.clip(variance_2, np.minimum(SMALLEST_VARIANCE, bound_2 * 0.5), bound_2 * (1.0 - 1e-6))
        self.alpha_ = mean_2 * (bound_2 / variance_2 - 1.0)  # Eq. 5
        self.beta_ = self.alpha_ * (1.0 - mean_2) / mean_2
        if self.estimator == "likelihood":
            for k in range(2):
                self.alpha_[k], self.beta_[k] = beta_maximum_likelihood(
                    float(mean_2K[k, 1]), float(mean_2K[k, 2]), (float(self.alpha_[k]), float(self.beta_[k]))
                )

    def _monotone_range(self) -> tuple[float, float]:
        # The log-odds are a log x + b log(1 - x) + c: monotone unless a and b have one sign, then turning once.
        a, b = float(self.alpha_[1] - self.alpha_[0]), float(self.beta_[1] - self.beta_[0])
        if a < 0.0 and b < 0.0:
            return a / (a + b), 1.0
        if a > 0.0 and b > 0.0:
            return 0.0, a / (a + b)
        return 0.0, 1.0


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
