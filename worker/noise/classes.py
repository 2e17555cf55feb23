"""Classes against the pooled fit: whether it misleads, and then one fit for each; knows scores and given labels.

Shapes: N samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.noise.histogram import FloatArray
from worker.noise.mixture import FEWEST_LOSSES, Mixture
from worker.noise.skewed import SkewedMixture
from worker.noise.trust import Trust

DIFFERENT = 0.3
"""Nats per sample that classes' own fits must win. On margins of real trainings they won .05–.18, and AUROC then fell by
.003–.01: easy and hard classes differ a little everywhere, and sharing the fit is better."""

NAMED = 3


def by_class(
    mixture: Mixture, score_N: FloatArray, given_N: NDArray[np.int64], posterior_N: FloatArray, trust: Trust
) -> tuple[FloatArray, Trust]:
    """Posteriors (N,) and the verdict after every class was compared with the pooled fit.

    A class's fit is drawn to the pooled one by a prior, wholly so when the class is small. The beta mixture, which is only
    believed for scores of bounded shapes, stays pooled.
    """
    if not isinstance(mixture, SkewedMixture):
        return posterior_N, trust
    own_N = posterior_N.copy()
    won: dict[int, float] = {}
    order_N = np.argsort(given_N, kind="stable")
    class_G, first_G = np.unique(given_N[order_N], return_index=True)
    if class_G.size < 2:
        return posterior_N, trust
    for label, member_K in zip(class_G, np.split(order_N, first_G[1:]), strict=True):
        if int(np.isfinite(score_N[member_K]).sum()) < FEWEST_LOSSES:
            continue
        closer, nats = mixture.near(score_N[member_K])
        if nats > 0.0:
            won[int(label)] = nats / member_K.size
            own_N[member_K] = closer.posterior(score_N[member_K])
    total = sum(won[int(label)] * int((given_N == label).sum()) for label in class_G if int(label) in won)
    if total / score_N.size <= DIFFERENT:
        return posterior_N, trust
    worst = sorted(won, key=lambda label: -won[label])[:NAMED]
    names = ", ".join(str(label) for label in worst)
    return own_N, trust.doubting(
        f"Classes disagree with the pooled fit (most: {names}); each was fitted by itself."
    )
