"""Cohen's kappa against scikit-learn's, its identities, and planted agreement."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from backend.audit.agreement import Answer, agreements, cohens_kappa, kappa_limits


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
    assert pairs["ann", "cleo"] == ("ann", "cleo", 1, 1, None, None, None)
    assert agreements(answers)[0].samples == 3


@pytest.mark.parametrize(("share", "samples"), [(0.3, 30), (0.7, 100), (0.95, 60)])
def test_the_interval_holds_the_planted_kappa_as_often_as_it_says(share: float, samples: int) -> None:
    rng = np.random.default_rng(samples)
    held = 0
    for _ in range(600):
        first_N, other_N = (
            rng.choice(3, samples, p=[0.6, 0.3, 0.1]),
            rng.choice(3, samples, p=[0.6, 0.3, 0.1]),
        )
        limits = kappa_limits(first_N, np.where(rng.random(samples) < share, first_N, other_N))
        # None where both gave one answer throughout: nothing is claimed then.
        held += limits is None or limits[0] <= share <= limits[1]
    assert held / 600 >= 0.93


def test_a_few_samples_on_which_all_agree_are_not_certain() -> None:
    first_N = np.array([0, 1, 0])
    low, high = kappa_limits(first_N, first_N) or (np.nan, np.nan)
    # Of three that agree, Clopper and Pearson's lower limit is the cube root of 2.5 %; by chance 5 of 9 agree.
    assert low == pytest.approx((0.025 ** (1 / 3) - 5 / 9) / (4 / 9))
    assert high == pytest.approx(1)
    # Of three that differ the upper limit is one minus that root; by chance 4 of 9 agree.
    most = (1 - 0.025 ** (1 / 3) - 4 / 9) / (5 / 9)
    assert kappa_limits(first_N, 1 - first_N) == pytest.approx((-0.8, most))
    assert kappa_limits(np.zeros(5, int), np.zeros(5, int)) is None
