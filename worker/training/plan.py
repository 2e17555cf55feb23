"""Every random choice of one epoch, drawn on the host before it begins; knows numbers of samples, not samples.

Drawn from (seed, epoch) alone: the same on every device, on one or on many, and in a resumed run.
Shapes: N positions in the epoch's order, S steps, B positions of one step.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """`order_N` is the sample at each position; step s goes over the positions begin_S[s] … begin_S[s + 1] − 1.

    `shift_N2` are the crop's first row and column in the padded image, `mirrored_N` is 1 for flipped images,
    `partner_N` the position that each is mixed with, in the same step; `share_S` each step's mixing share δ.
    """

    order_N: IntArray
    begin_S: IntArray
    shift_N2: IntArray
    mirrored_N: IntArray
    partner_N: IntArray
    share_S: NDArray[np.float32]

    @property
    def steps(self) -> int:
        """S."""
        return len(self.share_S)


def drawn(
    seed: int, epoch: int, samples: int, steps: int, *, pad: int, flip: bool, mixup_alpha: float | None
) -> Plan:
    """The plan of an epoch. `mixup_alpha` None: nothing is mixed, every share is 1 and every partner itself."""
    rng = np.random.default_rng([seed, epoch])
    order_N = rng.permutation(samples)
    begin_S = np.linspace(0, samples, steps + 1).round().astype(np.int64)
    shift_N2 = rng.integers(0, 2 * pad + 1, (samples, 2)) if pad else np.zeros((samples, 2), np.int64)
    mirrored_N = rng.integers(0, 2, samples) if flip else np.zeros(samples, np.int64)
    partner_N, share_S = np.arange(samples), np.ones(steps, np.float32)
    if mixup_alpha is not None:
        share_S = rng.beta(mixup_alpha, mixup_alpha, steps).astype(np.float32)
        for begin, end in pairwise(begin_S.tolist()):
            partner_N[begin:end] = begin + rng.permutation(end - begin)
    return Plan(order_N, begin_S, shift_N2, mirrored_N, partner_N, share_S)
