"""Scores of suspicion against their definitions written out, and on planted noise."""

from __future__ import annotations

import numpy as np
import pytest

from worker.noise.detection import auroc
from worker.noise.scores import (
    confident_class,
    confident_joint,
    consensus,
    forgetting,
    margin,
    neighbour_disagreement,
)


def blurred(samples: int = 4000, classes: int = 4, wrong: float = 0.2, seed: int = 0):
    """Probabilities that know the true label, and given labels of which some are moved to the next class."""
    rng = np.random.default_rng(seed)
    true_N = rng.integers(0, classes, samples)
    logit_NC = rng.normal(0.0, 1.0, (samples, classes))
    logit_NC[np.arange(samples), true_N] += 3.0
    probability_NC = np.exp(logit_NC) / np.exp(logit_NC).sum(axis=1, keepdims=True)
    moved_N = rng.random(samples) < wrong
    return probability_NC, np.where(moved_N, (true_N + 1) % classes, true_N), moved_N


def test_forgetting_counts_the_falls_and_never_learned_is_worst() -> None:
    given_N = np.array([1, 1, 1])
    prediction_EN = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 0]])
    assert forgetting(prediction_EN, given_N).tolist() == [2.0, 0.0, 4.0]


def test_the_margin_is_the_log_ratio_of_the_best_other_class() -> None:
    probability_NC = np.array([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [0.0, 0.0, 1.0]])
    score_N = margin(probability_NC, np.array([0, 2, 2]))
    assert score_N[:2] == pytest.approx([np.log(0.2 / 0.7), np.log(0.7 / 0.1)])
    assert np.isfinite(score_N).all()
    assert score_N[2] < -80


def test_disagreement_is_the_share_of_neighbours_with_another_label() -> None:
    neighbour_NK = np.array([[1, 2], [0, 2], [0, 1]])
    assert neighbour_disagreement(neighbour_NK, np.array([0, 0, 1])).tolist() == [0.5, 0.5, 1.0]
    assert neighbour_disagreement(np.empty((3, 0), dtype=np.int32), np.array([0, 0, 1])).tolist() == [0, 0, 0]


def test_the_confident_class_follows_its_definition_sample_by_sample() -> None:
    probability_NC, given_N, _ = blurred(300)
    found_N = confident_class(probability_NC, given_N)
    for row in range(300):
        reached = [j for j in range(4) if probability_NC[row, j] >= probability_NC[given_N == j, j].mean()]
        expected = max(reached, key=lambda j: probability_NC[row, j]) if reached else -1
        assert found_N[row] == expected


def test_the_confident_joint_finds_the_planted_transitions() -> None:
    probability_NC, given_N, moved_N = blurred(20000)
    joint_CC = confident_joint(probability_NC, given_N)
    assert joint_CC.sum() == pytest.approx(1.0)
    assert joint_CC.sum(axis=1) == pytest.approx(np.bincount(given_N) / len(given_N))
    assert 1.0 - np.trace(joint_CC) == pytest.approx(moved_N.mean(), abs=0.03)
    moved = sum(joint_CC[(c + 1) % 4, c] for c in range(4))
    assert moved > 0.8 * (1.0 - np.trace(joint_CC))


def test_a_class_without_samples_is_nobodys_confident_class() -> None:
    probability_NC = np.array([[0.1, 0.9], [0.2, 0.8]])
    given_N = np.array([0, 0])
    assert (confident_class(probability_NC, given_N) != 1).all()
    joint_CC = confident_joint(probability_NC, given_N)
    assert joint_CC.tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_a_consensus_of_independent_scores_ranks_better_than_each() -> None:
    rng = np.random.default_rng(1)
    noisy_N = rng.random(5000) < 0.2
    scores = {name: noisy_N + rng.normal(0.0, 1.0, 5000) for name in ("first", "second", "third")}
    together = auroc(noisy_N, consensus(scores))
    assert together is not None
    assert together > max(auroc(noisy_N, score) or 0.0 for score in scores.values()) + 0.05
    assert consensus({"equal": np.zeros(4)}).tolist() == [0.5] * 4
    with pytest.raises(ValueError, match="at least one"):
        consensus({})
