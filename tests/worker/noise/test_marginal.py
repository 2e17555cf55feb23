"""Averaging over the noisy component's weight: what is planted lies in its interval, and the threshold does not depend on chance."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.noise import best_f1
from worker.noise.detection import flag_metrics
from worker.noise.marginal import along_the_weight
from worker.noise.mixture import Mixture
from worker.noise.skewed import SkewedMixture
from worker.noise.thresholds import balanced_threshold, flags

WEIGHT, SAMPLES = 0.18, 10_000


def overlapping(seed: int, apart: float = 3.75, samples: int = SAMPLES) -> tuple[np.ndarray, np.ndarray]:
    """Scores as human labels give them, two groups of one width two spreads apart, and which are noisy."""
    rng = np.random.default_rng(seed)
    noisy_N = rng.random(samples) < WEIGHT
    return rng.normal(np.where(noisy_N, -1.6 + apart, -1.6), 1.83), noisy_N


def shortfall(mixture: Mixture, score_N: np.ndarray, noisy_N: np.ndarray) -> float:
    """What F1 loses at the balanced threshold against the best one."""
    posterior_N = mixture.posterior(score_N)
    flagged_N = flags(posterior_N, balanced_threshold(posterior_N))
    return best_f1(noisy_N, score_N) - float(flag_metrics(noisy_N, flagged_N)["f1"])


@pytest.fixture(scope="module")
def draws() -> list[tuple[float, float, tuple[float, float]]]:
    """Of twenty draws: shortfall of the likeliest fit, of the average, and the weight's interval."""
    found = []
    for seed in range(20):
        score_N, noisy_N = overlapping(seed)
        mixture = SkewedMixture().fit(score_N)
        likeliest = shortfall(mixture, score_N, noisy_N)
        mixture.marginalise()
        assert mixture.weight_interval_ is not None
        found.append((likeliest, shortfall(mixture, score_N, noisy_N), mixture.weight_interval_))
    return found


def test_the_interval_holds_the_planted_weight(draws: list[tuple[float, float, tuple[float, float]]]) -> None:
    assert sum(low <= WEIGHT <= high for _, _, (low, high) in draws) >= 18


def test_the_threshold_loses_little_where_the_likeliest_fit_loses_much(
    draws: list[tuple[float, float, tuple[float, float]]],
) -> None:
    likeliest, averaged = np.array([draw[:2] for draw in draws]).T
    assert averaged.max() < 0.6 * likeliest.max()
    assert averaged.mean() < 0.75 * likeliest.mean()


def test_far_apart_groups_leave_nothing_to_average() -> None:
    score_N, _ = overlapping(0, apart=14.0, samples=20_000)
    mixture = SkewedMixture().fit(score_N)
    before_N = mixture.posterior(score_N)
    after_N = mixture.marginalise().posterior(score_N)
    assert after_N == pytest.approx(before_N, abs=0.01)
    low, high = mixture.weight_interval_ or (0.0, 1.0)
    assert low == pytest.approx(high, abs=0.05)
    assert low <= mixture.weights_[1] <= high


def test_no_held_weight_is_likelier_than_the_likeliest_and_each_is_what_was_held() -> None:
    score_N, _ = overlapping(3)
    mixture = SkewedMixture().fit(score_N)
    held = along_the_weight(mixture._fit, mixture._value_P)
    log_odds_H = np.array([fit.value_P[0] for fit in held])
    assert np.diff(log_odds_H) == pytest.approx(0.25)
    prior_H = -0.5 * (np.logaddexp(0.0, log_odds_H) + np.logaddexp(0.0, -log_odds_H))
    assert (np.array([fit.log_probability for fit in held]) - prior_H).max() <= 0.1


def test_a_mixture_that_is_none_stays_none() -> None:
    mixture = SkewedMixture().fit(np.ones(100)).marginalise()
    assert mixture.reason_ is not None
    assert mixture.weight_interval_ is None
