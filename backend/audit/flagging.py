"""What a flag rests on: counts at a threshold, and the reasons for one sample in sentences. Pure.

Shape letters: N samples, E tracked epochs, K neighbours, T thresholds, B bins (B1 = B + 1 edges).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

RECENT_EPOCHS = 12
"""How far back "predicted … in k of the last n epochs" looks: the schedule's settled end."""


class ThresholdCounts(NamedTuple):
    """What flagging everything at or above a threshold would mean, if the posteriors are right."""

    threshold_T: NDArray[np.float64]
    flagged_T: NDArray[np.int64]
    expected_precision_T: NDArray[np.float64]
    """Mean posterior of what is flagged; 1 where nothing is."""
    expected_recall_T: NDArray[np.float64]
    """Share of all expected noisy samples that is flagged; 1 where none is expected."""


class PosteriorDistribution(NamedTuple):
    """All noise posteriors in 100 bins, and what each threshold would mean."""

    edge_B1: NDArray[np.float64]
    """0, .01, … 1; a bin holds its lower end, the last one both."""
    count_B: NDArray[np.int64]
    at: ThresholdCounts
    """At .01, .02, … .99 and the run's own threshold, ascending."""


class Evidence(NamedTuple):
    """Everything that the reasons for one sample speak of."""

    given: str
    suggested: str
    loss: float
    """Nats."""
    loss_of_class_N: NDArray[Any]
    """The losses of all samples with the same given label, this one included."""
    prediction_E: Sequence[str]
    """The class predicted after each tracked epoch, oldest first."""
    neighbour_label_K: Sequence[str]
    """Given labels of the nearest samples."""
    noise_posterior: float
    probability_given: float | None = None
    """Predicted probability of the given label, [0, 1]."""


def flag(noise_posterior_N: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
    """Samples whose noise posterior reaches the threshold; a posterior that is no number is no flag."""
    return np.nan_to_num(np.asarray(noise_posterior_N, dtype=np.float64), nan=-np.inf) >= threshold


def at_thresholds(noise_posterior_N: NDArray[Any], threshold_T: NDArray[Any]) -> ThresholdCounts:
    """Flag counts and expected precision and recall at each threshold, from the posteriors alone."""
    threshold_T = np.asarray(threshold_T, dtype=np.float64)
    ascending_N = np.sort(np.nan_to_num(np.asarray(noise_posterior_N, dtype=np.float64), nan=0.0))
    above_N = np.concatenate([np.cumsum(ascending_N[::-1])[::-1], [0.0]])
    first_T = np.searchsorted(ascending_N, threshold_T, side="left")
    flagged_T = (len(ascending_N) - first_T).astype(np.int64)
    noisy_T = above_N[first_T]
    precision_T = np.divide(noisy_T, flagged_T, out=np.ones_like(threshold_T), where=flagged_T > 0)
    recall_T = noisy_T / above_N[0] if above_N[0] > 0 else np.ones_like(threshold_T)
    return ThresholdCounts(threshold_T, flagged_T, precision_T, recall_T)


def posterior_distribution(noise_posterior_N: NDArray[Any], own: float | None) -> PosteriorDistribution:
    """The posteriors' histogram on the grid of thresholds, so that the bars above a threshold sum to its flags."""
    edge_B1 = np.arange(101) / 100
    threshold_T = edge_B1[1:-1] if own is None else np.union1d(edge_B1[1:-1], [own])
    posterior_N = np.nan_to_num(np.asarray(noise_posterior_N, dtype=np.float64), nan=0.0)
    reached = at_thresholds(posterior_N, edge_B1[:-1]).flagged_T
    count_B = reached - np.append(reached[1:], 0)
    return PosteriorDistribution(edge_B1, count_B, at_thresholds(posterior_N, threshold_T))


def why(evidence: Evidence) -> list[str]:
    """The reasons for this sample's noise posterior, one sentence each, strongest kind first.

    They also speak for the given label where the evidence does; a sentence is left out when its
    numbers are missing.
    """
    sentences = [_loss_sentence(evidence)]
    sentences += _prediction_sentences(evidence)
    sentences += _neighbour_sentences(evidence)
    if evidence.probability_given is not None and np.isfinite(evidence.probability_given):
        percent = _percent(evidence.probability_given)
        speaker = (
            "After the last epoch the network gives" if evidence.prediction_E else "The predictions give"
        )
        sentences.append(f"{speaker} {evidence.given} {percent}.")
    sentences.append(f"Noise posterior {_percent(evidence.noise_posterior)}: how probable a wrong label is.")
    return [sentence for sentence in sentences if sentence]


def _loss_sentence(evidence: Evidence) -> str:
    if not np.isfinite(evidence.loss):
        return ""
    others = len(evidence.loss_of_class_N) - 1
    if others < 1:
        return f"Loss {evidence.loss:.2g} nats; the only sample labelled {evidence.given}."
    share = float((np.asarray(evidence.loss_of_class_N) < evidence.loss).sum()) / others
    loss = f"{evidence.loss:.1f}" if evidence.loss >= 0.95 else f"{evidence.loss:.2g}"
    if share == 1:
        return f"Loss {loss} nats, the highest of the {others + 1} samples labelled {evidence.given}."
    if share >= 0.5:
        return f"Loss {loss} nats, higher than {_percent(share)} of the samples labelled {evidence.given}."
    return f"Loss {loss} nats, lower than {_percent(1 - share)} of the samples labelled {evidence.given}."


def _prediction_sentences(evidence: Evidence) -> list[str]:
    recent = list(evidence.prediction_E)[-RECENT_EPOCHS:]
    if not recent:
        return []
    window = f"of the last {len(recent)} epochs" if len(recent) > 1 else "epoch"
    winner, times = Counter(recent).most_common(1)[0]
    sentences = [f"Predicted {winner} in {times} {window}."]
    if winner != evidence.given and times < len(recent):
        agreed = recent.count(evidence.given)
        sentences.append(
            f"Predicted its given label {evidence.given} in {agreed} of them."
            if agreed
            else f"Never predicted its given label {evidence.given} in them."
        )
    return sentences


def _neighbour_sentences(evidence: Evidence) -> list[str]:
    labels = list(evidence.neighbour_label_K)
    if not labels:
        return []
    winner, times = Counter(labels).most_common(1)[0]
    verb = "is" if times == 1 else "are"
    sentences = [f"{times} of its {len(labels)} nearest neighbours {verb} labelled {winner}."]
    same = labels.count(evidence.given)
    if winner != evidence.given and times < len(labels):
        sentences.append(f"{same or 'None'} of them {'is' if same < 2 else 'are'} labelled {evidence.given}.")
    return sentences


def _percent(share: float) -> str:
    """A share in [0, 1] with the digits that the dashboard gives it: never 100 % or 0 % for what is only nearly so."""
    if not np.isfinite(share):
        return "unknown"
    percent = share * 100
    if 0 < percent < 0.1:
        return "under 0.1 %"
    if 99.9 < percent < 100:
        return "over 99.9 %"
    return f"{percent:.{int(0 < percent < 10 or 99 < percent < 100)}f} %"
