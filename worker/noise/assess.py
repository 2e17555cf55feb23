"""From suspicion scores or predicted probabilities to posteriors, flags, a noise rate and how far to believe them.

Knows the mixtures, the label model and their trust; must not know which score it is given (loss, negative margin, …).
Shapes: N samples, C classes. A larger score is more suspect.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from worker.noise.classes import by_class
from worker.noise.curves import curves, loss_histogram
from worker.noise.fits import Fits, fits
from worker.noise.histogram import FloatArray
from worker.noise.labels import SMALLEST_PROBABILITY, LabelModel
from worker.noise.mixture import Mixture
from worker.noise.rate import SHAPE_OF_SCORES, noise_rate, rate_interval
from worker.noise.thresholds import THRESHOLD, balanced_threshold, flags
from worker.noise.trust import RARE, SEPARATED, Trust, trust_of, trust_of_labels

Model = Literal["beta", "gaussian", "none"]
Evidence = Literal["scores", "probabilities"]

CHANCE_AGREEMENT = 0.2
"""A network that has learned little still predicts some wrong labels, by chance or because it errs as the label does: by so
much more than its disagreement may be wrong."""

RANK_SHARE = 1e-6
"""Share of a sample's rank in its posterior; see `strictly_increasing`."""


@dataclass(frozen=True)
class Assessment:
    """What the scores or probabilities of N samples say.

    `noise_posterior_N` in (0, 1) rises strictly with the score, within each class where classes were fitted by
    themselves; from probabilities it is the label model's. `flagged_N` is where it reaches `threshold`. `noise_rate` and its 95 %
    `noise_rate_interval` are shares in [0, 1]. `model` is the mixture that describes the scores ("gaussian": whose
    components may lean), "none" where nothing is believed; `evidence` says whether posteriors rest on that mixture or on
    the probabilities.
    """

    noise_posterior_N: FloatArray
    flagged_N: NDArray[np.bool_]
    threshold: float
    noise_rate: float
    noise_rate_interval: tuple[float, float]
    model: Model
    trust: Trust
    mixtures: dict[str, Mixture] = field(repr=False)
    evidence: Evidence = "scores"
    class_rates: dict[int, float] = field(default_factory=dict)
    """Noise rate by given label, where given labels are known."""

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


def assess(score: ArrayLike, given_label: ArrayLike | None = None) -> Assessment:
    """Fits both mixtures to the scores (N,), believes the likelier one as far as it can be trusted.

    Without a trusted mixture nobody is accused: the rate is 0, its interval says what cannot be excluded, and posteriors
    keep only the order of the scores. With given labels (N,) classes are compared with the pooled fit, and
    fitted by themselves where it misleads.
    """
    score_N = np.asarray(score, dtype=np.float64).ravel()
    given_N = None if given_label is None else np.asarray(given_label, dtype=np.int64).ravel()
    if given_N is not None and given_N.shape != score_N.shape:
        raise ValueError(f"given_label has {given_N.size} entries, the scores {score_N.size}")
    return _scored(score_N, fits(score_N), given_N)


def _scored(
    score_N: FloatArray, found: Fits, given_N: NDArray[np.int64] | None, corroborated: bool = False
) -> Assessment:
    """What fits to the scores say; `corroborated` as in `trust_of`."""
    name = found.believed
    trust = trust_of(found.mixtures[name], score_N, found.gains[name], corroborated)
    if trust.verdict == "none":
        posterior_N = np.zeros(score_N.size)
        rate, interval = 0.0, (0.0, _not_excluded(found, name))
    else:
        posterior_N = found.mixtures[name].posterior(score_N)
        if given_N is not None:
            posterior_N, trust = by_class(found.mixtures[name], score_N, given_N, posterior_N, trust)
        rate = noise_rate(posterior_N)
        interval = rate_interval(posterior_N, rate, shape=SHAPE_OF_SCORES)
    model: Model = "none" if trust.verdict == "none" else "beta" if name == "beta" else "gaussian"
    posterior_N = strictly_increasing(posterior_N, score_N)
    return Assessment(
        noise_posterior_N=posterior_N,
        flagged_N=flags(posterior_N, THRESHOLD),
        threshold=THRESHOLD,
        noise_rate=rate,
        noise_rate_interval=interval,
        model=model,
        trust=trust,
        mixtures=found.mixtures,
        class_rates={} if given_N is None else _class_rates(posterior_N, given_N),
    )


def assess_probabilities(predicted_probabilities: ArrayLike, given_label: ArrayLike) -> Assessment:
    """Judges given labels (N,) by out-of-sample predicted probabilities (N, C), each at least 0.

    The label model decides; where it cannot be fitted (few samples), the mixture on the losses does. Both mixtures are
    there for the figures. Posteriors then rank by what the probabilities say of the true label, not by the loss alone.
    """
    probability_NC = np.asarray(predicted_probabilities)
    given_N = np.asarray(given_label, dtype=np.int64)
    given_P = np.asarray(probability_NC[np.arange(len(given_N)), given_N], dtype=np.float64)
    loss_N = -np.log(np.maximum(given_P, SMALLEST_PROBABILITY))
    model = LabelModel().fit(probability_NC, given_N)
    scored = assess(loss_N)
    if model.reason_ is not None:
        return scored if len(given_N) else replace(scored, evidence="probabilities")
    posterior_N = model.posterior(probability_NC, given_N)
    top_N = probability_NC.max(axis=1)
    trust = trust_of_labels(
        model,
        posterior_N,
        agreement=float((given_P >= top_N).mean()),
        sureness=float((top_N >= 1.0 - 1e-6).mean()),
    )
    rate = float(posterior_N.mean())
    interval = rate_interval(posterior_N, rate)
    if trust.verdict == "none":
        # What the network's own mistakes may hide, and everything where the probabilities say nothing.
        known = trust.reasons[0].endswith("no sign of label noise.")
        interval = (0.0, interval[1] if known else 1.0)
        rate, order_N = 0.0, posterior_N
        posterior_N = np.zeros(len(given_N))
    else:
        order_N = posterior_N
    name = scored.model if scored.model != "none" else fits_name(scored)
    posterior_N = strictly_increasing(posterior_N, order_N)
    return Assessment(
        noise_posterior_N=posterior_N,
        flagged_N=flags(posterior_N, THRESHOLD),
        threshold=THRESHOLD,
        noise_rate=rate,
        noise_rate_interval=interval,
        model="none" if trust.verdict == "none" else name,
        trust=trust,
        mixtures=scored.mixtures,
        evidence="probabilities",
        class_rates=_class_rates(posterior_N, given_N),
    )


def assess_training(
    score: ArrayLike,
    predicted_probabilities: ArrayLike,
    given_label: ArrayLike,
    early_disagreement: float = 1.0,
) -> Assessment:
    """Judges a training on these very labels by its scores (N,), and where those may be one group, by its predictions too.

    Predictions (N, C) of a network that trained on the labels lean towards them, so they understate the noise; but without
    noise they speak of none. So they are a witness: where one group explains the scores as well as two, theirs is the casting
    vote, and the mixture is believed, with doubt, if it finds at least the noise that they show. Failing that the
    posteriors of the predictions are handed out along the score.

    `early_disagreement` is the share of labels that the network did not predict after its first epoch, before it could learn
    any by heart: there cannot be many more wrong labels than that. The threshold is the balanced one.
    """
    score_N = np.asarray(score, dtype=np.float64).ravel()
    found = fits(score_N)
    scored = _balanced(_scored(score_N, found, None))
    if score_N.size == 0:
        return scored
    given_N = np.asarray(given_label, dtype=np.int64).ravel()
    if scored.trust.verdict != "none":
        return replace(scored, class_rates=_class_rates(scored.noise_posterior_N, given_N))
    most = min(1.0, early_disagreement * (1.0 + CHANCE_AGREEMENT))
    scored = replace(scored, noise_rate_interval=(0.0, min(scored.noise_rate_interval[1], most)))
    predicted = assess_probabilities(predicted_probabilities, given_N)
    if predicted.trust.verdict == "none":
        return scored
    low = min(predicted.noise_rate_interval[0], most)
    if predicted.noise_rate >= RARE:
        believed = _scored(score_N, found, None, corroborated=True)
        rate = float(believed.noise_posterior_N.mean())
        if believed.trust.verdict != "none" and rate >= predicted.noise_rate:
            own_low, own_high = believed.noise_rate_interval
            return replace(
                _balanced(believed),
                noise_rate=rate,
                noise_rate_interval=(min(low, own_low), max(rate, own_high)),
                class_rates=_class_rates(believed.noise_posterior_N, given_N),
            )
    order_N = np.nan_to_num(score_N, nan=-np.inf)
    posterior_N = np.empty(order_N.size)
    posterior_N[np.argsort(order_N, kind="stable")] = np.sort(predicted.noise_posterior_N)
    handed = replace(
        predicted,
        noise_posterior_N=strictly_increasing(posterior_N, order_N),
        noise_rate_interval=(low, max(most, predicted.noise_rate)),
        trust=Trust(
            "doubtful",
            (
                "The scores form one group; the predictions speak of wrong labels all the same. They come from training "
                "on these labels, so there are probably more wrong labels than flags.",
            ),
        ),
        mixtures=scored.mixtures,
    )
    handed = replace(handed, class_rates=_class_rates(handed.noise_posterior_N, given_N))
    return _balanced(handed) if predicted.noise_rate >= RARE else _flagged(handed, THRESHOLD)


def _balanced(found: Assessment) -> Assessment:
    """The same with the balanced threshold, where anything is believed."""
    if found.trust.verdict == "none":
        return found
    return _flagged(found, balanced_threshold(found.noise_posterior_N))


def _flagged(found: Assessment, threshold: float) -> Assessment:
    return replace(found, threshold=threshold, flagged_N=flags(found.noise_posterior_N, threshold))


def fits_name(scored: Assessment) -> Model:
    """The likelier mixture of an assessment that believes none."""
    usable = {name: m.log_likelihood_ for name, m in scored.mixtures.items() if m.reason_ is None}
    return "beta" if usable and max(usable, key=lambda name: usable[name]) == "beta" else "gaussian"


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


def _not_excluded(found: Fits, name: str) -> float:
    """The highest rate that scores without a trusted mixture leave possible.

    Where a separate bump was fitted but is too faint, twice its weight; otherwise everything: noisy samples whose scores
    overlap with the clean ones do not show, however many they are.
    """
    mixture = found.mixtures[name]
    faint = found.gains[name] > 0.0 and mixture.separation >= SEPARATED and mixture.weights_[1] < 0.1
    if mixture.reason_ is None and faint:
        return float(2.0 * mixture.weights_[1])
    return 1.0


def _class_rates(posterior_N: FloatArray, given_N: NDArray[np.int64]) -> dict[int, float]:
    class_G, group_N, count_G = np.unique(given_N, return_inverse=True, return_counts=True)
    sum_G = np.bincount(group_N, weights=posterior_N, minlength=class_G.size)
    return {int(c): float(s / n) for c, s, n in zip(class_G, sum_G, count_G, strict=True)}
