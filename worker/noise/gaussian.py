"""The Gaussian mixture on normalised losses.

Knows the density, its M-step and where its log-odds turn; EM itself is the base class's.
Shapes: M weighted points, 2 components (0 clean, 1 noisy).
"""

from __future__ import annotations

import numpy as np

from worker.noise.histogram import FloatArray
from worker.noise.mixture import SMALLEST_VARIANCE, ExpectationMaximisation
from worker.noise.scale import Normalisation


class GaussianMixture(ExpectationMaximisation):
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

    def _features(self, unit_N: FloatArray) -> FloatArray:
        return np.stack([np.ones_like(unit_N), unit_N, unit_N * unit_N])

    def _coefficients(self) -> FloatArray:
        precision_2 = 1.0 / self.sigma_**2
        constant_2 = np.log(np.maximum(self.weights_, 1e-300)) - np.log(np.sqrt(2.0 * np.pi) * self.sigma_)
        return np.stack(
            [constant_2 - 0.5 * self.mu_**2 * precision_2, self.mu_ * precision_2, -0.5 * precision_2], axis=1
        )

    def _maximise(self, mean_2K: FloatArray) -> None:
        self.mu_ = mean_2K[:, 1].copy()
        variance_2 = mean_2K[:, 2] - self.mu_**2
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
