"""Cohen's kappa against scikit-learn's, its identities, and planted agreement."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from backend.audit.agreement import Answer, agreements, cohens_kappa


@pytest.mark.parametrize("kinds", [2, 3, 10])
@pytest.mark.parametrize("agreeing", [0.0, 0.4, 0.9])
def test_kappa_is_scikit_learns(kinds: int, agreeing: float) -> None:
    rng = np.random.default_rng(kinds)
    first_N = rng.integers(0, kinds, 500)
    second_N = np.where(rng.random(500) < agreeing, first_N, rng.integers(0, kinds, 500))
    assert cohens_kappa(first_N, second_N) == pytest.approx(cohen_kappa_score(first_N, second_N), abs=1e-12)


def test_always_the_same_is_one_and_chance_is_about_zero() -> None:
    rng = np.random.default_rng(0)
    first_N, second_N = rng.integers(0, 4, 20_000), rng.integers(0, 4, 20_000)
    assert cohens_kappa(first_N, first_N) == pytest.approx(1)
    assert cohens_kappa(first_N, second_N) == pytest.approx(0, abs=0.02)
    # Planted: the same in a share s of the samples, else by chance, gives a kappa of s.
    mixed_N = np.where(rng.random(20_000) < 0.6, first_N, second_N)
    assert cohens_kappa(first_N, mixed_N) == pytest.approx(0.6, abs=0.02)


def test_opposite_answers_are_worse_than_chance() -> None:
    assert cohens_kappa(np.array([0, 1, 0, 1]), np.array([1, 0, 1, 0])) == pytest.approx(-1)


def test_nothing_to_compare_is_no_number() -> None:
    assert cohens_kappa(np.array([], dtype=int), np.array([], dtype=int)) is None
    assert cohens_kappa(np.zeros(5, int), np.zeros(5, int)) is None
    with pytest.raises(ValueError, match="each sample"):
        cohens_kappa(np.zeros(5, int), np.zeros(4, int))


def test_pairs_compare_what_both_decided_and_a_label_is_part_of_the_answer() -> None:
    keep: Answer = ("keep", None)
    answers: dict[str, dict[int, Answer]] = {
        "ann": {0: keep, 1: ("relabel", 2), 2: ("remove", None), 9: keep},
        "ben": {0: keep, 1: ("relabel", 3), 2: ("remove", None)},
        "cleo": {2: ("remove", None)},
        "dan": {77: keep},
    }
    pairs = {(pair.a, pair.b): pair for pair in agreements(answers)}
    assert set(pairs) == {("ann", "ben"), ("ann", "cleo"), ("ben", "cleo")}
    assert (pairs["ann", "ben"].samples, pairs["ann", "ben"].same) == (3, 2)
    assert pairs["ann", "ben"].kappa == pytest.approx(cohen_kappa_score([0, 1, 2], [0, 3, 2]))
    assert pairs["ann", "cleo"] == ("ann", "cleo", 1, 1, None)
    assert agreements(answers)[0].samples == 3
