"""A fitted mixture as a table, so that a step reads noise posteriors off where its losses lie, without waiting.

Knows losses and posteriors; must not know which mixture gave them. Shapes: B samples of a batch, M entries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.noise.mixtures import Mixture

FINE = 4096
"""Entries of a table that is read by interpolation."""

SMALLEST = 1e-4
"""Posteriors of a batch stay within [1e-4, 1 − 1e-4], as in the released code."""


@dataclass(frozen=True)
class PosteriorTable:
    """Posteriors (M,) at losses evenly spaced from `lowest` to `highest` (nats); constant beyond them."""

    lowest: float
    highest: float
    posterior_M: Tensor

    def at(self, loss_B: Tensor) -> Tensor:
        """Posteriors (B,), interpolated, clamped to [1e-4, 1 − 1e-4]."""
        last = self.posterior_M.shape[0] - 1
        place_B = ((loss_B - self.lowest) * (last / (self.highest - self.lowest))).clamp(0.0, float(last))
        left_B = place_B.floor().clamp(max=last - 1).long()
        left = self.posterior_M[left_B]
        posterior_B = left + (place_B - left_B) * (self.posterior_M[left_B + 1] - left)
        return posterior_B.clamp(SMALLEST, 1.0 - SMALLEST)

    def nearest(self, loss_B: Tensor) -> Tensor:
        """The same from the entry at or below each loss: the released code's lookup."""
        last = self.posterior_M.shape[0] - 1
        place_B = ((loss_B - self.lowest) * (last / (self.highest - self.lowest))).clamp(0.0, float(last))
        return self.posterior_M[place_B.long()].clamp(SMALLEST, 1.0 - SMALLEST)


def tabulated(
    mixture: Mixture, loss_N: NDArray[np.float32], normalisation: str, entries: int, device: torch.device
) -> PosteriorTable:
    """The mixture over the range that its fit looked at: the inner 90 % of the losses, or 0 to their maximum."""
    low, high = np.quantile(loss_N, (0.05, 0.95)) if normalisation == "percentile" else (0.0, loss_N.max())
    if not high > low:
        high = low + 1.0
    posterior_M = mixture.posterior(np.linspace(low, high, entries)).astype(np.float32)
    return PosteriorTable(float(low), float(high), torch.from_numpy(posterior_M).to(device))
