"""Whether a fitted mixture may be believed: one word and the reasons, in sentences for a person.

Knows fitted mixtures; must not know how flags are set from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln

from worker.noise.mixtures import BetaMixture, GaussianMixture, Mixture, beta_maximum_likelihood

Verdict = Literal["good", "doubtful", "none"]

SEPARATED = 2.0
"""Ashman's D from which two bumps are told apart (Ashman, Bird and Zepf 1994, for a Gaussian mixture)."""

OVERLAPPING = 1.6
"""Below this one skewed bump is the likelier story: beta fits to the data without noise that was tried
reached 1.59 (drawn from one beta), 1.35 on real out-of-fold losses. Gaussian fits can exceed it (3.1 on even data)."""

FEWEST_NOISY = 20
"""Fewer expected noisy samples than this do not fix the shape of a component."""


@dataclass(frozen=True)
class Trust:
    """`verdict`: "good", "doubtful" (flags are given, look twice) or "none" (no mixture, nothing is flagged)."""

    verdict: Verdict
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"verdict": self.verdict, "reasons": list(self.reasons)}


def trust_of(mixture: Mixture, loss: ArrayLike) -> Trust:
    """The verdict on a mixture fitted to the losses (N,)."""
    loss_N = np.asarray(loss, dtype=np.float64).ravel()
    if mixture.reason_ is not None or mixture.scale_ is None:
        return Trust("none", (f"There is no mixture to speak of: {mixture.reason_}.",))
    reasons: list[str] = []
    verdict: Verdict = "good"
    unusable = int((~np.isfinite(loss_N)).sum())
    if unusable:
        verdict = "doubtful"
        reasons.append(f"{unusable} losses are not numbers and were left out.")
    gain = penalised_gain(mixture, loss_N[np.isfinite(loss_N)])
    if gain <= 0.0:
        return Trust(
            "none", (*reasons, "One component explains the losses as well as two: no sign of label noise.")
        )
    separation = mixture.separation
    if separation < OVERLAPPING:
        return Trust(
            "none",
            (
                *reasons,
                f"The two components overlap too much (separation {separation:.2f}, two bumps need {SEPARATED}): "
                "the losses look like one skewed group, not like clean and noisy samples.",
            ),
        )
    if separation < SEPARATED:
        verdict = "doubtful"
        reasons.append(f"The components overlap (separation {separation:.2f}, two bumps need {SEPARATED}).")
    noisy = float(mixture.weights_[1]) * loss_N.size
    if noisy < FEWEST_NOISY:
        verdict = "doubtful"
        reasons.append(f"Only about {noisy:.0f} samples make up the noisy component.")
    if mixture.weights_[1] > 0.9:
        verdict = "doubtful"
        reasons.append(
            "More than nine in ten samples look noisy; the network may not have learned the classes."
        )
    if not reasons:
        reasons.append(f"Clean and noisy samples form two groups (separation {separation:.2f}).")
    return Trust(verdict, tuple(reasons))


def penalised_gain(mixture: Mixture, loss: ArrayLike) -> float:
    """Log-likelihood per sample that the second component wins over one, less its price (Bayesian information
    criterion: three more parameters at log(N) / 2 each), nats; one component of the same family."""
    loss_N = np.asarray(loss, dtype=np.float64)
    scale = mixture.scale_
    if scale is None:
        return -np.inf
    inside_N = loss_N[scale.inside(loss_N)]
    unit_N = scale.apply(inside_N)
    if isinstance(mixture, BetaMixture):
        log_mean, log1m_mean = float(np.log(unit_N).mean()), float(np.log1p(-unit_N).mean())
        a, b = beta_maximum_likelihood(log_mean, log1m_mean, (1.0, 1.0), steps=60)
        single = (a - 1.0) * log_mean + (b - 1.0) * log1m_mean - float(betaln(a, b))
    else:
        assert isinstance(mixture, GaussianMixture)
        single = -0.5 * (np.log(2.0 * np.pi * max(float(unit_N.var()), 1e-12)) + 1.0)
    single -= float(np.log(scale.width))
    return mixture.log_likelihood_ - single - 1.5 * float(np.log(inside_N.size)) / inside_N.size
