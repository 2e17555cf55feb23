"""The noise rate's interval: narrow where groups lie apart, wide where they overlap, holding the truth."""

from __future__ import annotations

import numpy as np
import pytest

from worker.noise.assess import assess
from worker.noise.rate import SHAPE_OF_SCORES, noise_rate, rate_interval


def test_sure_posteriors_give_a_narrow_interval_and_unsure_ones_a_wide_one() -> None:
    sure_N = np.repeat([0.0, 1.0], [8000, 2000])
    unsure_N = np.repeat([0.1, 0.6], [8000, 2000])
    low, high = rate_interval(sure_N, noise_rate(sure_N))
    assert low < 0.2 < high
    assert high - low < 0.025
    low, high = rate_interval(unsure_N, noise_rate(unsure_N))
    assert high - low > 0.2
    assert rate_interval(np.zeros(0), 0.0) == (0.0, 1.0)


def test_the_interval_holds_both_estimates_and_lies_in_the_unit_interval() -> None:
    for posterior_N in (np.full(100, 0.49), np.full(100, 0.51), np.ones(100), np.zeros(100)):
        rate = noise_rate(posterior_N)
        low, high = rate_interval(posterior_N, rate, shape=SHAPE_OF_SCORES)
        assert 0.0 <= low <= min(posterior_N.mean(), (posterior_N >= 0.5).mean()) + 1e-12
        assert max(posterior_N.mean(), (posterior_N >= 0.5).mean()) - 1e-12 <= high <= 1.0


@pytest.mark.parametrize("distance", [4.0, 6.0])
def test_intervals_hold_the_planted_rate_on_shapes_that_are_not_the_models(distance: float) -> None:
    held = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noisy_N = rng.random(4000) < rng.uniform(0.05, 0.6)
        # A clean component with a gamma's tail and a noisy one with Student's: neither is of the fitted family.
        score_N = np.where(noisy_N, distance + rng.standard_t(6, 4000), rng.gamma(4.0, 0.5, 4000) - 2.0)
        found = assess(score_N)
        held.append(found.noise_rate_interval[0] <= noisy_N.mean() <= found.noise_rate_interval[1])
    assert np.mean(held) >= 0.9
