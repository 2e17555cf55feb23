"""Annotators who differ in skill: their votes are counted, and their consensus finds the truth and the careless."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.audit.annotators import NONE, consensus, votes

SKILL_A = np.array([0.95, 0.9, 0.4, 0.35, 0.3])
CLASSES = 4


@pytest.fixture(scope="module")
def planted() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """True labels, and labels of five annotators, two of them good; a fifth of the labels is missing."""
    rng = np.random.default_rng(0)
    true_N = rng.choice(CLASSES, 3000, p=[0.4, 0.3, 0.2, 0.1])
    right_NA = rng.random((3000, 5)) < SKILL_A
    other_NA = (true_N[:, None] + rng.integers(1, CLASSES, (3000, 5))) % CLASSES
    label_NA = np.where(right_NA, true_N[:, None], other_NA)
    label_NA[rng.random((3000, 5)) < 0.2] = NONE
    return true_N, label_NA


def test_votes_are_counted() -> None:
    label_NA = np.array([[2, 2, 1], [0, NONE, NONE], [NONE] * 3, [3, 1, NONE], [0, 0, 0]])
    found = votes(label_NA, CLASSES)
    assert found.voters.tolist() == [3, 1, 0, 2, 3]
    assert found.majority.tolist() == [2, 0, NONE, 1, 0]
    np.testing.assert_allclose(found.agreement, [2 / 3, 1, np.nan, 0.5, 1], rtol=1e-6)


def test_the_consensus_recovers_truth_and_skill_where_the_majority_fails(
    planted: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    true_N, label_NA = planted
    found = consensus(label_NA, CLASSES)
    assert found is not None
    np.testing.assert_allclose(found.accuracy, SKILL_A, atol=0.05)
    by_consensus, by_majority = (
        (found.label == true_N).mean(),
        (votes(label_NA, CLASSES).majority == true_N).mean(),
    )
    assert by_consensus > 0.92
    assert by_consensus > by_majority + 0.1
    sure_N = found.probability > 0.9
    assert abs((found.label == true_N)[sure_N].mean() - found.probability[sure_N].mean()) < 0.02


def test_the_consensus_is_nearly_that_of_who_knows_the_skills(
    planted: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    """Bayes' rule by hand, with the skills that the consensus had to find out."""
    true_N, label_NA = planted
    found = consensus(label_NA, CLASSES)
    assert found is not None
    prior_C = np.bincount(true_N) / len(true_N)
    differences, same = [], []
    for index in range(0, 3000, 10):
        posterior_C = prior_C.copy()
        for skill, label in zip(SKILL_A, label_NA[index], strict=True):
            if label != NONE:
                posterior_C *= np.where(np.arange(CLASSES) == label, skill, (1 - skill) / (CLASSES - 1))
        if (label_NA[index] == NONE).all():
            assert found.label[index] == NONE
            continue
        posterior_C /= posterior_C.sum()
        differences.append(abs(posterior_C[found.label[index]] - found.probability[index]))
        same.append(posterior_C.argmax() == found.label[index])
    assert np.mean(differences) < 0.04
    assert np.mean(same) > 0.95


def test_annotators_who_always_agree_are_believed() -> None:
    label_NA = np.tile(np.arange(3).repeat(20)[:, None], (1, 2))
    found = consensus(label_NA, 3)
    assert found is not None
    assert (found.label == label_NA[:, 0]).all()
    assert (found.accuracy > 0.9).all()


def test_too_many_classes_have_no_consensus_and_nobody_has_none() -> None:
    assert consensus(np.zeros((2, 2), int), 1001) is None
    silent = consensus(np.full((3, 2), NONE), 2)
    assert silent is not None
    assert silent.label.tolist() == [NONE] * 3
