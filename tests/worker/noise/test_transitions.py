"""The noise's structure and the odds against a label: definitions, identities, and recovery of what was planted."""

from __future__ import annotations

import numpy as np
import pytest

from worker.noise.detection import auroc
from worker.noise.transitions import likeliest_source, noise_structure, suspicion

CLASSES = 6


def confused(samples: int, pairs: bool, wrong: float = 0.25, seed: int = 0):
    """Predictions that hesitate between a class and its sister (0–1, 2–3, 4–5), and labels of which some are moved: to
    the next but one class (`pairs`), or anywhere."""
    rng = np.random.default_rng(seed)
    true_N = rng.integers(0, CLASSES, samples)
    row_N = np.arange(samples)
    logit_NC = rng.normal(0.0, 0.7, (samples, CLASSES))
    logit_NC[row_N, true_N] += 2.5
    logit_NC[row_N, true_N ^ 1] += rng.normal(1.0, 1.2, samples)
    probability_NC = np.exp(logit_NC)
    probability_NC /= probability_NC.sum(axis=1, keepdims=True)
    noisy_N = rng.random(samples) < wrong
    elsewhere_N = (true_N + (2 if pairs else rng.integers(1, CLASSES, samples))) % CLASSES
    return probability_NC, np.where(noisy_N, elsewhere_N, true_N), true_N, noisy_N


def test_under_even_noise_the_odds_are_those_of_the_negative_margin() -> None:
    probability_NC = np.array([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1]])
    score_N = suspicion(probability_NC, np.array([0, 2]))
    assert score_N == pytest.approx([np.log(0.2 / 0.7), np.log(0.7 / 0.1)])
    even_CC = (1.0 - np.eye(3)) / 2.0
    assert suspicion(probability_NC, np.array([0, 2]), even_CC) == pytest.approx(score_N)


def test_the_odds_follow_their_equation_sample_by_sample() -> None:
    probability_NC, given_N, _, _ = confused(200, pairs=True)
    structure_CC = noise_structure(probability_NC, given_N)
    score_N = suspicion(probability_NC, given_N, structure_CC)
    source_N = likeliest_source(probability_NC, given_N, structure_CC)
    for row, label in enumerate(given_N):
        others = [k for k in range(CLASSES) if k != label]
        weights = [probability_NC[row, k] * structure_CC[k, label] * (CLASSES - 1) for k in others]
        assert score_N[row] == pytest.approx(np.log(max(weights) / probability_NC[row, label]))
        assert source_N[row] == others[int(np.argmax(weights))]


def test_class_conditional_noise_is_found_and_doubt_between_sisters_is_no_longer_noise() -> None:
    probability_NC, given_N, true_N, noisy_N = confused(4000, pairs=True)
    structure_CC = noise_structure(probability_NC, given_N)
    assert (structure_CC.argmax(axis=1) == (np.arange(CLASSES) + 2) % CLASSES).all()
    assert structure_CC.max(axis=1).min() > 0.4
    assert structure_CC.sum(axis=1) == pytest.approx(1.0)
    plain, knowing = (
        auroc(noisy_N, suspicion(probability_NC, given_N)),
        auroc(noisy_N, suspicion(probability_NC, given_N, structure_CC)),
    )
    assert plain is not None
    assert knowing is not None
    assert 1.0 - knowing < 0.5 * (1.0 - plain)
    source_N = likeliest_source(probability_NC, given_N, structure_CC)
    assert (source_N[noisy_N] == true_N[noisy_N]).mean() > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_even_noise_is_not_given_a_structure_that_costs(seed: int) -> None:
    probability_NC, given_N, _, noisy_N = confused(4000, pairs=False, seed=seed)
    structure_CC = noise_structure(probability_NC, given_N)
    off_C = structure_CC[~np.eye(CLASSES, dtype=bool)]
    assert off_C == pytest.approx(1.0 / (CLASSES - 1))
    plain = auroc(noisy_N, suspicion(probability_NC, given_N))
    knowing = auroc(noisy_N, suspicion(probability_NC, given_N, structure_CC))
    assert plain is not None
    assert knowing is not None
    assert knowing > plain - 0.005


@pytest.mark.parametrize("samples", [1, 7, 60])
@pytest.mark.parametrize("classes", [2, 3, 40])
def test_few_samples_many_classes_and_certain_predictions_have_finite_answers(
    samples: int, classes: int
) -> None:
    rng = np.random.default_rng(samples)
    probability_NC = np.eye(classes)[rng.integers(0, classes, samples)]
    given_N = rng.integers(0, classes, samples)
    structure_CC = noise_structure(probability_NC, given_N)
    assert np.isfinite(structure_CC).all()
    assert structure_CC.sum(axis=1) == pytest.approx(1.0)
    assert np.isfinite(suspicion(probability_NC, given_N, structure_CC)).all()
    assert (likeliest_source(probability_NC, given_N, structure_CC) != given_N).all()
