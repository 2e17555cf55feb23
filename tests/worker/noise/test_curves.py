"""Histogram and curves: numbers that lie on each other in a figure."""

from __future__ import annotations

import numpy as np
import pytest

from worker.noise.curves import curves, loss_histogram
from worker.noise.mixtures import BetaMixture, GaussianMixture, Mixture


def test_the_histogram_counts_every_loss_and_an_outlier_does_not_flatten_it() -> None:
    loss_N = np.append(np.random.default_rng(0).exponential(1.0, 5000), 1e6)
    histogram = loss_histogram(loss_N)
    assert sum(histogram["counts"]) == 5001
    assert histogram["edges"][-1] < 20.0


@pytest.mark.parametrize("loss_N", [np.zeros(0), np.full(10, 3.0), np.array([np.nan, np.inf])])
def test_losses_that_do_not_spread_still_have_a_histogram(loss_N: np.ndarray) -> None:
    histogram = loss_histogram(loss_N)
    assert sum(histogram["counts"]) + histogram["not_finite"] == loss_N.size
    assert histogram["edges"] == sorted(set(histogram["edges"]))


@pytest.mark.parametrize("name", ["beta", "gaussian"])
def test_the_summed_curve_times_samples_and_bin_width_lies_on_the_counts(name: str) -> None:
    rng = np.random.default_rng(1)
    mixture: Mixture = GaussianMixture(tail=0.001)
    if name == "beta":
        mixture = BetaMixture(tail=0.001, estimator="likelihood", iterations=50)
        loss_N = 8.0 * np.concatenate([rng.beta(2.0, 12.0, 12000), rng.beta(12.0, 4.0, 8000)])
    else:
        loss_N = np.concatenate([rng.normal(2.0, 0.4, 12000), rng.normal(5.0, 0.6, 8000)])
    histogram = loss_histogram(loss_N, bins=50)
    drawn = curves(mixture.fit(loss_N), histogram["edges"])
    edges = np.array(histogram["edges"])
    centres = (edges[:-1] + edges[1:]) / 2
    expected = np.interp(centres, drawn["x"], drawn["sum"]) * loss_N.size * np.diff(edges)
    assert np.abs(expected - histogram["counts"]).sum() < 0.12 * loss_N.size
    assert np.add(drawn["clean"], drawn["noisy"]) == pytest.approx(drawn["sum"])
