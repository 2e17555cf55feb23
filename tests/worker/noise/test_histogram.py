"""Quantiles and weighted points stand for all losses, whatever their number and their outliers."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from worker.noise.histogram import BINS, quantiles, weighted_points
from worker.noise.mixtures import BetaMixture, GaussianMixture

PROBABILITIES = (0.0, 0.001, 0.05, 0.5, 0.95, 0.999, 1.0)


@pytest.mark.parametrize("samples", [10, 8191, 8192, 200_000])
@pytest.mark.parametrize("shape", ["exponential", "outlier", "ties", "equal"])
def test_quantiles_are_numpys(shape: str, samples: int) -> None:
    rng = np.random.default_rng(0)
    loss_N = {
        "exponential": lambda: rng.exponential(1.0, samples),
        "outlier": lambda: np.append(rng.exponential(1.0, samples - 1), 1e9),
        "ties": lambda: np.round(rng.exponential(1.0, samples), 1),
        "equal": lambda: np.full(samples, 2.5),
    }[shape]()
    exact = np.quantile(loss_N, PROBABILITIES)
    found = np.array(quantiles(loss_N, PROBABILITIES))
    # By rank: as many losses lie below as should, up to a few.
    below = np.array([(loss_N < value).sum() for value in found])
    assert (below <= np.array(PROBABILITIES) * samples + 3).all()
    assert found == pytest.approx(exact, rel=1e-3, abs=1e-6)


def test_points_keep_the_number_and_the_sum_of_the_losses_in_the_range() -> None:
    loss_N = np.random.default_rng(1).gamma(2.0, 1.0, 50_000)
    low, high = 0.5, 6.0
    inside_N = loss_N[(loss_N >= low) & (loss_N <= high)]
    point_M, count_M = weighted_points(loss_N, low, high)
    assert point_M.size <= BINS
    assert count_M.sum() == inside_N.size
    assert point_M @ count_M == pytest.approx(((inside_N - low) / (high - low)).sum(), rel=1e-9)


@pytest.mark.slow
def test_three_million_losses_are_fitted_in_little_memory() -> None:
    rng = np.random.default_rng(2)
    loss_N = np.concatenate([rng.gamma(1.0, 0.4, 2_100_000), rng.normal(5.0, 1.0, 900_000)])
    for mixture in (BetaMixture(), GaussianMixture(iterations=10)):
        tracemalloc.start()
        mixture.fit(loss_N)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 16 * 2**20
        assert mixture.weights_[1] == pytest.approx(0.3, abs=0.05)
