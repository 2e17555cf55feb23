"""Whether what was fitted may be believed: one word and the reasons, in sentences for a person.

Knows fitted mixtures, posteriors and label models; must not know how flags are set from them.
Shapes: N samples, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from worker.noise.fits import OVERLAPPING
from worker.noise.histogram import FloatArray
from worker.noise.labels import LabelModel
from worker.noise.mixture import FEWEST_LOSSES, Mixture

Verdict = Literal["good", "doubtful", "none"]

SEPARATED = 2.0
"""Ashman's D from which two bumps are told apart (Ashman, Bird and Zepf 1994, for a Gaussian mixture)."""

MISFIT = 0.001
"""Nats per score that a second component must win, besides its parameters' price. No family fits real scores exactly, and
with enough of them any second component pays: on losses without noise it won .0004, with 1 % noise .005."""

MISFIT_OVERLAPPING = 0.005
"""The same where the components overlap and an odd shape of one group is the nearer thought."""

CLEAR_GAIN, LEAST_SEPARATION = 0.01, 0.6
"""A gain from which overlapping components are believed, with doubt, and how far apart they must be even so. No shape of one group
came near (generated ones won .004 at such separations, real scores without noise lost), class-conditional noise won .014–.03."""

CORROBORATED_SEPARATION = 1.2
"""How far apart components must be where something else speaks of noise. At `fits.OVERLAPPING` human labels were on an edge: a
jitter of a hundredth of the predicted probabilities threw the rate from .16 to .04 (true .18). No other recorded training lies between."""

SMALL_COMPONENT = 0.1
"""What a misfit looks like: a small component in the tail. A large one that lies apart is believed for less, with doubt."""

WIDE = 0.15
"""Width of the noisy component's weight (95 %) from which it is said how little the scores tell of it."""

FEWEST_NOISY = 20
"""Fewer expected noisy samples than this do not fix the shape of a component."""

AMBIGUOUS = 0.1
"""Mean of min(p, 1 - p) from which one flag in several is wrong."""

PILED, MOSTLY_PILED = 0.1, 0.5
"""Shares of scores at one end of the range, from which they are said, and from which nothing is judged."""

RARE, NONE_BELOW = 0.01, 0.004
"""With probabilities: a sure network's own mistakes make up .001–.004 of a set without noise, and cannot be told
from wrong labels that are as few."""

UNINFORMATIVE = 0.005
"""Nats per sample below which predicted probabilities say no more of the given label than its frequency."""


@dataclass(frozen=True)
class Trust:
    """`verdict`: "good", "doubtful" (flags are given, look twice) or "none" (no mixture, nothing is flagged)."""

    verdict: Verdict
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"verdict": self.verdict, "reasons": list(self.reasons)}

    def doubting(self, reason: str) -> Trust:
        """This verdict, lowered to doubtful for one more reason."""
        verdict: Verdict = "doubtful" if self.verdict == "good" else self.verdict
        return Trust(verdict, (*(self.reasons if self.verdict != "good" else ()), reason))


def trust_of(mixture: Mixture, loss: ArrayLike, gain: float, corroborated: bool = False) -> Trust:
    """The verdict on a mixture fitted to the losses (N,); `gain` is what it wins per loss over one group, nats.

    `corroborated`: something else than these losses speaks of noise. Then two groups need not win: it is enough that one group
    does not explain the losses better by more than a misfit, and the verdict is "doubtful".
    """
    loss_N = np.asarray(loss, dtype=np.float64).ravel()
    unusable = int((~np.isfinite(loss_N)).sum())
    left_out: tuple[str, ...] = (f"{unusable} losses are not numbers and were left out.",) if unusable else ()
    if mixture.reason_ is not None or mixture.scale_ is None:
        return Trust("none", (*left_out, f"There is no mixture to speak of: {mixture.reason_}."))
    piled, end = _piled(loss_N)
    if piled > MOSTLY_PILED:
        return Trust(
            "none",
            (*left_out, f"Saturated: {100 * piled:.0f} % of the losses lie at their {end}; the network has memorised or not learned."),
        )  # fmt: skip
    separation, weight = mixture.separation, float(mixture.weights_[1])
    apart = separation >= SEPARATED and SMALL_COMPONENT <= weight <= 1.0 - SMALL_COMPONENT
    needed = 0.0 if apart else MISFIT if separation >= SEPARATED else MISFIT_OVERLAPPING
    if gain <= (-MISFIT if corroborated else needed):
        return Trust(
            "none",
            (*left_out, "One group of samples explains the losses as well as two: no sign of label noise in them."),
        )  # fmt: skip
    needed_apart = CORROBORATED_SEPARATION if corroborated else OVERLAPPING
    if separation < (LEAST_SEPARATION if gain > CLEAR_GAIN else needed_apart):
        return Trust(
            "none",
            (
                *left_out,
                f"The two components overlap too much (separation {separation:.2f}, two bumps need {SEPARATED}): "
                "the losses look like one skewed group, not like clean and noisy samples.",
            ),
        )
    trust = Trust("good", (f"Clean and noisy samples form two groups (separation {separation:.2f}).",))
    if unusable:
        trust = trust.doubting(left_out[0])
    if gain <= needed:
        trust = trust.doubting(
            "One group would explain these scores as well; the predictions speak of wrong labels too."
        )
    if separation < SEPARATED:
        trust = trust.doubting(
            f"The components overlap (separation {separation:.2f}, two bumps need {SEPARATED})."
        )
    if mixture.weight_interval_ is not None and np.ptp(mixture.weight_interval_) > WIDE:
        low, high = mixture.weight_interval_
        trust = trust.doubting(
            f"Anything from {low:.0%} to {high:.0%} of wrong labels explains the scores about as well."
        )
    if needed < gain <= MISFIT:
        trust = trust.doubting("One broad group would explain the losses nearly as well as two.")
    noisy = weight * loss_N.size
    if noisy < FEWEST_NOISY:
        trust = trust.doubting(f"Only about {noisy:.0f} samples make up the noisy component.")
    if weight > 0.9:
        trust = trust.doubting(
            "More than nine in ten samples look noisy; the network may not have learned the classes."
        )
    if piled > PILED:
        trust = trust.doubting(
            f"{100 * piled:.0f} % of the losses lie at their {end}: nothing tells those apart."
        )
    return trust


def trust_of_labels(model: LabelModel, posterior_N: FloatArray, agreement: float, sureness: float) -> Trust:
    """The verdict on a label model: its posteriors (N,), the share of given labels that are the most likely class, and
    the share of samples whose most likely class has all the probability."""
    if model.reason_ is not None:
        return Trust("none", (f"The labels cannot be judged: {model.reason_}.",))
    if model.informative_ < UNINFORMATIVE:
        return Trust("none", ("The predicted probabilities say no more of a label than how frequent it is.",))
    rate = float(posterior_N.mean())
    kind = "more often between some classes than others" if model.structured_ else "evenly over the classes"
    if agreement > 0.999 and sureness > 0.9:
        return Trust(
            "none",
            (
                "Saturated: the predictions repeat the given labels with certainty; they are not out of sample.",
            ),
        )
    if rate < NONE_BELOW:
        return Trust(
            "none",
            (
                f"{100 * rate:.2f} % of the labels look wrong, no more than a network's own mistakes: no sign of label noise.",
            ),
        )
    trust = Trust("good", (f"Labels are wrong {kind}, also where the network is surest.",))
    if rate < RARE:
        trust = trust.doubting(
            f"Only {100 * rate:.1f} % of the labels look wrong; some of them are the network's own mistakes."
        )
    if rate * posterior_N.size < FEWEST_NOISY:
        trust = trust.doubting(f"Only about {rate * posterior_N.size:.0f} labels look wrong.")
    if float(np.minimum(posterior_N, 1.0 - posterior_N).mean()) > AMBIGUOUS:
        trust = trust.doubting(
            "The network is too unsure of too many samples to tell which labels are wrong."
        )
    if rate > 0.9:
        trust = trust.doubting(
            "More than nine in ten labels look wrong; the network may not have learned the classes."
        )
    return trust


def _piled(loss_N: FloatArray) -> tuple[float, str]:
    """The larger share of losses that are equal to the smallest or the largest one, and which end that is."""
    known_N = loss_N[np.isfinite(loss_N)]
    if known_N.size < FEWEST_LOSSES:
        return 0.0, "end"
    low, high = float((known_N == known_N.min()).mean()), float((known_N == known_N.max()).mean())
    return (low, "lowest value") if low >= high else (high, "highest value")
