"""Every mixture worth believing for one vector of scores, each weighed against one group; knows no verdict.

Shapes: N scores.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln

from worker.noise.beta import BetaMixture, beta_maximum_likelihood
from worker.noise.gaussian import GaussianMixture
from worker.noise.histogram import FloatArray
from worker.noise.mixture import Mixture, finite
from worker.noise.skewed import Line, SkewedMixture

COMPARED = 100_000
"""Scores on which the families' likelihoods are compared; of more every k-th. A difference of .001 nats shows."""

FITTED = 1_000_000
"""Scores that shapes are fitted to; of more every k-th, which moves no parameter visibly and bounds time and memory."""

OVERLAPPING = 1.6
"""Separation below which one group of an odd shape is the likelier story: fits to real scores without noise reached 1.1."""

BOUNDED = 0.01
"""Nats per score by which the beta mixture must be the likelier one. Its sharp ends fit those of a range well, which
says nothing of two groups; where it led by less, its rate was further off on generated scores and equal on real ones."""

LEANING_FROM = 0.5
"""Where most samples are noisy, it is their component's shape that matters; below, leaning would only let it take over the
clean component's tail."""


class Fits(NamedTuple):
    """The mixtures by name ("beta", "gaussian") and what each wins per score, in nats, over the best single component
    of any family, both less log(N) / 2N for each parameter; −inf where there is no mixture."""

    mixtures: dict[str, Mixture]
    gains: dict[str, float]

    @property
    def believed(self) -> str:
        """The name of the likeliest mixture whose components lie apart, or of the likeliest where none do.

        Two components on top of each other are one group of an odd shape: they say nothing of noise, however well they fit.
        """
        return max(self.gains, key=lambda name: (self._two_groups(name), self._handicapped(name)))

    def _handicapped(self, name: str) -> float:
        return self.gains[name] - (BOUNDED if name == "beta" else 0.0)

    def _two_groups(self, name: str) -> bool:
        return self.gains[name] > 0.0 and self.mixtures[name].separation >= OVERLAPPING


def fits(score: ArrayLike) -> Fits:
    """Fits to the scores (N,), whatever they are.

    Both lines on which losses may lie are tried where no score is negative. The beta mixture is fitted by maximum likelihood
    and on all but the outermost thousandths: the paper's moments on the inner 90 % cut off few noisy samples.
    """
    score_N = np.asarray(score, dtype=np.float64).ravel()
    known_N = finite(score_N)
    known_N = known_N[:: max(1, known_N.size // FITTED)]
    beta = BetaMixture(tail=0.001, iterations=30, estimator="likelihood").fit(known_N)
    lines: list[Line] = ["as given"]
    if known_N.size and float(known_N.min()) >= 0.0:
        lines.append("log-odds of the loss")
    singles = [SkewedMixture(1, line=line).fit(known_N) for line in lines]
    doubles = [SkewedMixture(2, line=line).fit(known_N) for line in lines]
    skewed = max(doubles, key=lambda mixture: (mixture.reason_ is None, mixture.evidence_))
    if skewed.reason_ is None and skewed.weights_[1] > LEANING_FROM:
        leaning = SkewedMixture(2, noisy_leans=True, line=skewed.line).fit(known_N)
        if leaning.reason_ is None and leaning.evidence_ > skewed.evidence_:
            skewed = leaning
    skewed.marginalise()
    mixtures: dict[str, Mixture] = {"beta": beta, "gaussian": skewed}
    if skewed.reason_ is not None:
        mixtures["gaussian"] = GaussianMixture(tail=0.001).fit(known_N)
        mixtures["gaussian"].reason_ = mixtures["gaussian"].reason_ or skewed.reason_
    return Fits(mixtures, _gains(known_N, beta, singles, skewed))


def _gains(
    score_N: FloatArray, beta: BetaMixture, singles: list[SkewedMixture], skewed: SkewedMixture
) -> dict[str, float]:
    gains = {"beta": -np.inf, "gaussian": -np.inf}
    if beta.scale_ is None:
        return gains
    inside_K = score_N[beta.scale_.inside(score_N)]
    inside_K = inside_K[:: max(1, inside_K.size // COMPARED)]
    if inside_K.size < 3:
        return gains
    width = beta.scale_.width
    price = 0.5 * float(np.log(score_N.size)) / score_N.size
    one_group = [
        _mean_log(single, inside_K, width) - 4 * price for single in singles if single.reason_ is None
    ]
    one_group.append(_single_beta(beta, inside_K) - 2 * price)
    best = max(one_group)
    if beta.reason_ is None:
        gains["beta"] = _mean_log(beta, inside_K, width) - 5 * price - best
    if skewed.reason_ is None:
        gains["gaussian"] = (
            _mean_log(skewed, inside_K, width) - (9 if skewed.noisy_leans else 7) * price - best
        )
    return {name: gain if np.isfinite(gain) else -np.inf for name, gain in gains.items()}


def _mean_log(mixture: Mixture, inside_K: FloatArray, width: float) -> float:
    # In units of the range, with a floor far below any shape: one stray score decides nothing.
    density_K = mixture.density(inside_K).sum(axis=0) * width
    return float(np.log(np.maximum(density_K, 1e-38)).mean()) - float(np.log(width))


def _single_beta(beta: BetaMixture, inside_K: FloatArray) -> float:
    assert beta.scale_ is not None
    unit_K = beta.scale_.apply(inside_K)
    log_mean, log1m_mean = float(np.log(unit_K).mean()), float(np.log1p(-unit_K).mean())
    a, b = beta_maximum_likelihood(log_mean, log1m_mean, (1.0, 1.0), steps=60)
    value = (a - 1.0) * log_mean + (b - 1.0) * log1m_mean - float(betaln(a, b))
    return value - float(np.log(beta.scale_.width))
