"""Noise by class against counts made by hand, and the matrix of the classes that matter."""

from __future__ import annotations

import numpy as np
import pytest

from backend.audit.classnoise import class_noise, count_in_cells, flag_cells, transition_counts
from worker.noise.rate import noise_rate

GIVEN_N = np.array([0, 0, 0, 0, 1, 1, 3])
SUGGESTED_N = np.array([0, 1, 1, 3, 1, 0, 3])
POSTERIOR_N = np.array([0.0, 1.0, 0.9, 0.7, 0.1, 0.8, 0.6])
FLAGGED_N = np.array([False, True, True, True, False, True, True])


def test_each_class_is_counted_and_rated_by_its_own_samples() -> None:
    noise = class_noise(GIVEN_N, POSTERIOR_N, FLAGGED_N, 4)
    assert noise.samples_C.tolist() == [4, 2, 0, 1]
    assert noise.flagged_C.tolist() == [3, 1, 0, 1]
    # Half the mean posterior and half the share from 0.5 on: class 0 has (2.6 / 4 + 3 / 4) / 2.
    assert noise.noise_rate_C == pytest.approx([0.7, 0.475, 0.0, 0.8])
    assert (noise.low_C <= noise.noise_rate_C).all()
    assert (noise.noise_rate_C <= noise.high_C).all()


def test_a_class_without_samples_says_nothing() -> None:
    noise = class_noise(GIVEN_N, POSTERIOR_N, FLAGGED_N, 4)
    assert (noise.noise_rate_C[2], noise.low_C[2], noise.high_C[2]) == (0.0, 0.0, 1.0)


def test_the_rates_weighted_by_size_are_the_whole_rate() -> None:
    rng = np.random.default_rng(0)
    given_N, posterior_N = rng.integers(0, 7, 5000), rng.beta(0.3, 0.8, 5000)
    noise = class_noise(given_N, posterior_N, posterior_N > 0.5, 7)
    whole = (noise.noise_rate_C * noise.samples_C).sum() / 5000
    assert whole == pytest.approx(noise_rate(posterior_N))


def test_the_intervals_hold_the_planted_rate_of_most_classes() -> None:
    """95 in 100 are promised; a hundred classes of calibrated posteriors may miss a few more by luck."""
    rng = np.random.default_rng(0)
    given_N = np.repeat(np.arange(100), 200)
    noisy_N = rng.random(20_000) < rng.uniform(0.02, 0.4, 100)[given_N]
    posterior_N = np.where(noisy_N, rng.beta(8, 1, 20_000), rng.beta(1, 8, 20_000))
    noise = class_noise(given_N, posterior_N, posterior_N > 0.5, 100)
    share_C = np.bincount(given_N, weights=noisy_N) / 200
    assert ((noise.low_C <= share_C) & (share_C <= noise.high_C)).mean() >= 0.95
    # Mostly the ambiguous mass: 1.5 times the mean of min(p, 1 − p), about .11 here, to either side.
    assert np.median(noise.high_C - noise.low_C) < 0.4


def test_only_cells_that_hold_flagged_samples_are_listed() -> None:
    cells = flag_cells(GIVEN_N, SUGGESTED_N, FLAGGED_N, 4)
    found = zip(cells.given_K.tolist(), cells.suggested_K.tolist(), cells.flagged_K.tolist(), strict=True)
    assert list(found) == [(0, 1, 2), (0, 3, 1), (1, 0, 1), (3, 3, 1)]
    some_N = np.array([1, 2, 5])
    assert count_in_cells(cells, GIVEN_N[some_N], SUGGESTED_N[some_N], 4).tolist() == [2, 0, 1, 0]
    none = flag_cells(GIVEN_N, SUGGESTED_N, np.zeros(7, bool), 4)
    assert len(none.given_K) == 0
    assert len(count_in_cells(none, GIVEN_N[:0], SUGGESTED_N[:0], 4)) == 0


def test_the_matrix_counts_given_by_row_and_suggested_by_column() -> None:
    whole = transition_counts(GIVEN_N, SUGGESTED_N, np.ones(7, bool), 4, 10)
    assert whole.shown_S.tolist() == [0, 1, 2, 3]
    assert whole.count_SS.tolist() == [[1, 2, 0, 1], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    flags = transition_counts(GIVEN_N, SUGGESTED_N, FLAGGED_N, 4, 10)
    assert flags.count_SS.tolist() == [[0, 2, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    assert flags.samples == 5


def test_of_too_many_classes_those_that_disagree_most_are_shown() -> None:
    shown = transition_counts(GIVEN_N, SUGGESTED_N, FLAGGED_N, 4, 2)
    assert shown.shown_S.tolist() == [0, 1]
    assert shown.count_SS.tolist() == [[0, 2], [1, 0]]
    assert shown.classes == 4
    agreeing = transition_counts(np.arange(5), np.arange(5), np.ones(5, bool), 5, 2)
    assert agreeing.count_SS.tolist() == [[1, 0], [0, 1]]
