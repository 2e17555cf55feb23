"""From one suspicion score per sample to posteriors, flags, a noise rate and how far to believe them.

Knows the mixtures and their trust; must not know which score it is given (loss, negative margin, …).
Shapes: N samples. A larger score is more suspect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from worker.noise.curves import curves, loss_histogram
from worker.noise.histogram import FloatArray
from worker.noise.mixtures import BetaMixture, GaussianMixture, Mixture
from worker.noise.trust import Trust, trust_of

Model = Literal["beta", "gaussian", "none"]

THRESHOLD = 0.5
"""A sample is flagged from here on: noisy is then the likelier of the two."""

RANK_SHARE = 1e-6
"""Share of a sample's rank in its posterior; see `strictly_increasing`."""


@dataclass(frozen=True)
class Assessment:
    """What the scores of N samples say.

    `noise_posterior_N` in (0, 1) rises strictly with the score. `flagged_N` is where it reaches `threshold`.
    `noise_rate` and its 95 % `noise_rate_interval` are shares in [0, 1]. `model` is the mixture believed.
    """

    noise_posterior_N: FloatArray
    flagged_N: NDArray[np.bool_]
    threshold: float
    noise_rate: float
    noise_rate_interval: tuple[float, float]
    model: Model
    trust: Trust
    mixtures: dict[str, Mixture] = field(repr=False)

    def describe(self) -> dict[str, Any]:
        """The figures of the assessment, JSON-ready."""
        return {
            "samples": int(self.noise_posterior_N.size),
            "flagged": int(self.flagged_N.sum()),
            "threshold": self.threshold,
            "noise_rate": self.noise_rate,
            "noise_rate_interval": list(self.noise_rate_interval),
            "model": self.model,
            "trust": self.trust.as_dict(),
        }

    def figures(self, score: ArrayLike) -> tuple[dict[str, Any], dict[str, Any]]:
        """Histogram of the scores, and both mixtures with their parameters and curves over it, JSON-ready."""
        histogram = loss_histogram(score)
        return histogram, {
            name: {**mixture.describe(), "curves": curves(mixture, histogram["edges"])}
            for name, mixture in self.mixtures.items()
        }


def assess(score: ArrayLike) -> Assessment:
    """Fits both mixtures to the scores (N,), believes the likelier one as far as it can be trusted.

    Without a trusted mixture nobody is accused: the rate is 0, posteriors keep only the order of the scores.
    The beta mixture is fitted by maximum likelihood and on all but the outermost thousandths: on two
    sets of real out-of-fold losses with 20 % noise that gave F1 .924 and .986, the paper's moments on the inner 90 %
    .916 and .983; and it does not cut off the noisy samples when they are few.
    """
    score_N = np.asarray(score, dtype=np.float64).ravel()
    mixtures: dict[str, Mixture] = {
        "beta": BetaMixture(tail=0.001, iterations=30, estimator="likelihood").fit(score_N),
        "gaussian": GaussianMixture(tail=0.001).fit(score_N),
    }
    model, trust = _choose(mixtures, score_N)
    if model == "none":
        posterior_N = np.zeros(score_N.size)
        rate, interval = 0.0, (0.0, _no_noise_bound(mixtures, score_N.size))
    else:
        posterior_N = mixtures[model].posterior(score_N)
        rate = float(posterior_N.mean())
        interval = _interval(rate, mixtures, score_N)
    noise_posterior_N = strictly_increasing(posterior_N, score_N)
    return Assessment(
        noise_posterior_N=noise_posterior_N,
        flagged_N=noise_posterior_N >= THRESHOLD,
        threshold=THRESHOLD,
        noise_rate=rate,
        noise_rate_interval=interval,
        model=model,
        trust=trust,
        mixtures=mixtures,
    )


def strictly_increasing(posterior: ArrayLike, score: ArrayLike) -> FloatArray:
    """Posteriors (N,) in (0, 1) that rise strictly with the score (N,), each moved by at most one millionth.

    A posterior saturates at 0 and 1, is flat where it was made monotone, and would lose the order of the
    samples there. So it is blended with the sample's rank: (1 - e) p + e u, where u in (0, 1) is the rank of
    its score (equal scores share one, a score that is no number ranks in the middle) and e = RANK_SHARE.
    """
    posterior_N = np.asarray(posterior, dtype=np.float64)
    score_N = np.asarray(score, dtype=np.float64)
    if posterior_N.size == 0:
        return posterior_N
    known_N = ~np.isnan(score_N)
    rank_N = np.full(score_N.size, 0.5)
    if known_N.any():
        level_G, group_K = np.unique(score_N[known_N], return_inverse=True)
        rank_N[known_N] = (group_K + 0.5) / level_G.size
    return (1.0 - RANK_SHARE) * posterior_N + RANK_SHARE * rank_N


def _choose(mixtures: dict[str, Mixture], score_N: FloatArray) -> tuple[Model, Trust]:
    """The mixture with the higher likelihood, unless only the other one may be believed."""
    order = {"good": 0, "doubtful": 1, "none": 2}
    verdicts = {name: trust_of(mixture, score_N) for name, mixture in mixtures.items()}
    name = min(mixtures, key=lambda key: (mixtures[key].reason_ is not None, -mixtures[key].log_likelihood_))
    # A likelier fit that shows one group outweighs a poorer one that shows two.
    trust = verdicts[name]
    if order[trust.verdict] == 2:
        return "none", trust
    return ("beta" if name == "beta" else "gaussian"), trust


def _interval(rate: float, mixtures: dict[str, Mixture], score_N: FloatArray) -> tuple[float, float]:
    """From the lowest to the highest rate that the models give, widened by the sampling error (95 %)."""
    rates = [rate]
    for mixture in mixtures.values():
        if mixture.reason_ is None and trust_of(mixture, score_N).verdict != "none":
            posterior_N = mixture.posterior(score_N)
            rates += [float(mixture.weights_[1]), float((posterior_N >= THRESHOLD).mean())]
    error = 1.96 * float(np.sqrt(rate * (1.0 - rate) / score_N.size))
    return max(0.0, min(rates) - error), min(1.0, max(rates) + error)


def _no_noise_bound(mixtures: dict[str, Mixture], samples: int) -> float:
    """An upper end for the rate where no mixture is believed: nothing can be excluded without enough samples."""
    if samples == 0 or all(mixture.reason_ is not None for mixture in mixtures.values()):
        return 1.0
    return float(min(mixture.weights_[1] for mixture in mixtures.values() if mixture.reason_ is None))
