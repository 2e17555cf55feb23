"""The two mixtures: recovery of planted components, monotone posteriors, and an answer to every input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from worker.noise.mixtures import (
    BetaMixture,
    GaussianMixture,
    Mixture,
    beta_maximum_likelihood,
)

EVERY = [
    BetaMixture(),
    BetaMixture(normalisation="maximum"),
    BetaMixture(estimator="likelihood", iterations=50),
    BetaMixture(tail=0.05),
    GaussianMixture(),
    GaussianMixture(normalisation="maximum"),
]


def planted(samples: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Losses in [0, 8] of which a share is noisy, and which."""
    rng = np.random.default_rng(seed)
    noisy_N = rng.random(samples) < noise
    loss_N = 8.0 * np.where(noisy_N, rng.beta(8.0, 3.0, samples), rng.beta(1.5, 12.0, samples))
    return loss_N, noisy_N


@pytest.mark.parametrize("samples", [2000, 40000])
@pytest.mark.parametrize("noise", [0.1, 0.4, 0.8])
def test_the_likelihood_beta_mixture_finds_planted_components(samples: int, noise: float) -> None:
    loss_N, noisy_N = planted(samples, noise)
    mixture = BetaMixture(tail=0.0, estimator="likelihood", iterations=100).fit(loss_N)
    assert mixture.reason_ is None
    assert mixture.weights_[1] == pytest.approx(noisy_N.mean(), abs=0.03)
    assert mixture.means_ == pytest.approx([8 * 1.5 / 13.5, 8 * 8 / 11], rel=0.08)
    assert ((mixture.posterior(loss_N) > 0.5) == noisy_N).mean() > 0.97


@pytest.mark.parametrize("noise", [0.2, 0.4])
def test_the_papers_moments_find_planted_components_roughly(noise: float) -> None:
    loss_N, noisy_N = planted(20000, noise)
    mixture = BetaMixture().fit(loss_N)
    assert mixture.weights_[1] == pytest.approx(noisy_N.mean(), abs=0.12)
    assert ((mixture.posterior(loss_N) > 0.5) == noisy_N).mean() > 0.95


def test_the_gaussian_mixture_finds_planted_components() -> None:
    rng = np.random.default_rng(1)
    noisy_N = rng.random(30000) < 0.3
    loss_N = np.where(noisy_N, rng.normal(5.0, 0.8, 30000), rng.normal(1.0, 0.3, 30000))
    mixture = GaussianMixture(tail=0.0).fit(loss_N)
    assert mixture.weights_[1] == pytest.approx(0.3, abs=0.01)
    assert mixture.means_ == pytest.approx([1.0, 5.0], abs=0.03)
    assert mixture.converged_


def test_the_fit_on_a_histogram_equals_the_fit_on_all_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    loss_N, _ = planted(30000, 0.4)
    for make in (BetaMixture, GaussianMixture):
        binned = make().fit(loss_N).posterior(loss_N)
        monkeypatch.setattr("worker.noise.histogram.HISTOGRAM_FROM", 10**9)
        exact = make().fit(loss_N).posterior(loss_N)
        monkeypatch.undo()
        assert np.abs(binned - exact).max() < 1e-4


def test_ten_moment_steps_equal_the_papers_equations_written_out() -> None:
    loss_N, _ = planted(3000, 0.4)
    mixture = BetaMixture(tail=0.0, tolerance=0.0).fit(loss_N)
    # Eq. 4–8 with scipy's density, from the released code's start.
    x_N = np.clip((loss_N - loss_N.min()) / np.ptp(loss_N), 1e-3, 1 - 1e-3)
    alpha_2, beta_2, weight_2 = np.array([1.0, 2.0]), np.array([2.0, 1.0]), np.array([0.5, 0.5])
    states = []
    for _ in range(10):
        states.append((alpha_2, beta_2, weight_2))
        density_2N = np.stack(
            [w * stats.beta.pdf(x_N, a, b) for a, b, w in zip(alpha_2, beta_2, weight_2, strict=True)]
        )
        share_2N = density_2N / density_2N.sum(axis=0)
        mean_2 = (share_2N * x_N).sum(axis=1) / share_2N.sum(axis=1)
        variance_2 = (share_2N * (x_N - mean_2[:, None]) ** 2).sum(axis=1) / share_2N.sum(axis=1)
        alpha_2 = mean_2 * (mean_2 * (1 - mean_2) / variance_2 - 1)
        beta_2 = alpha_2 * (1 - mean_2) / mean_2
        weight_2 = share_2N.mean(axis=1)
    states.append((alpha_2, beta_2, weight_2))
    alpha_2, beta_2, weight_2 = states[mixture.iterations_]
    assert mixture.alpha_ == pytest.approx(alpha_2, rel=1e-9)
    assert mixture.beta_ == pytest.approx(beta_2, rel=1e-9)
    assert mixture.weights_ == pytest.approx(weight_2, rel=1e-9)


def test_the_recorded_likelihood_is_that_of_the_density() -> None:
    loss_N, _ = planted(4000, 0.3)
    for mixture in (BetaMixture(tail=0.0).fit(loss_N), GaussianMixture(tail=0.0).fit(loss_N)):
        assert mixture.log_likelihood_ == pytest.approx(
            np.log(mixture.density(loss_N).sum(axis=0)).mean(), abs=1e-9
        )


def test_the_beta_density_over_its_range_sums_to_one() -> None:
    loss_N, _ = planted(5000, 0.3)
    mixture = BetaMixture().fit(loss_N)
    assert mixture.scale_ is not None
    x_P = np.linspace(mixture.scale_.low, mixture.scale_.high, 20001)
    assert np.trapezoid(mixture.density(x_P).sum(axis=0), x_P) == pytest.approx(1.0, abs=0.01)


def test_the_posterior_never_falls_where_the_raw_one_would() -> None:
    rng = np.random.default_rng(2)
    # A narrow clean bump inside a wide noisy one: Eq. 9 alone calls the lowest losses noisy.
    loss_N = np.concatenate([rng.normal(2.0, 0.2, 6000), rng.normal(2.8, 1.2, 3000)])
    mixture = GaussianMixture(tail=0.0).fit(loss_N)
    grid_P = np.linspace(loss_N.min(), loss_N.max(), 5000)
    raw_2P = mixture.density(grid_P)
    raw_P = raw_2P[1] / raw_2P.sum(axis=0)
    assert raw_P[0] > 0.9
    posterior_P = mixture.posterior(grid_P)
    assert (np.diff(posterior_P) >= -1e-12).all()
    assert posterior_P[0] < 0.5


def test_the_maximum_likelihood_beta_matches_scipys() -> None:
    x_N = np.random.default_rng(3).beta(0.7, 4.0, 5000)
    a, b, _, _ = stats.beta.fit(x_N, floc=0, fscale=1)
    mine = beta_maximum_likelihood(float(np.log(x_N).mean()), float(np.log1p(-x_N).mean()), (1.0, 1.0))
    assert mine == pytest.approx((a, b), rel=1e-4)


@pytest.mark.parametrize(
    ("loss_N", "reason"),
    [
        (np.zeros(0), "only 0 losses"),
        (np.arange(49.0), "only 49 losses"),
        (np.full(500, 2.5), "all losses are equal"),
        (np.full(500, np.nan), "only 0 losses"),
        (np.r_[np.zeros(400), np.ones(400)], "different losses"),
        (np.r_[np.full(100, 1e200), np.zeros(100)], "too large"),
    ],
)
def test_losses_without_a_mixture_get_a_reason_and_accuse_nobody(loss_N: np.ndarray, reason: str) -> None:
    for mixture in (BetaMixture(), GaussianMixture()):
        mixture.fit(loss_N)
        if reason == "different losses":  # two values: settled by whichever guard sees it first
            assert mixture.reason_ is not None or np.isfinite(mixture.posterior(loss_N)).all()
            continue
        assert mixture.reason_ is not None
        assert reason in mixture.reason_
        assert (mixture.posterior(loss_N) == 0.0).all()
        assert (mixture.density(loss_N) == 0.0).all()


@given(
    arrays(
        np.float64,
        st.integers(0, 300),
        elements=st.one_of(
            st.floats(allow_nan=True, allow_infinity=True, width=64),
            st.floats(0.0, 10.0),
            st.sampled_from([0.0, 1.0, 1e-300, 1e300, 5.0]),
        ),
    ),
    st.sampled_from(range(len(EVERY))),
)
@settings(max_examples=300, deadline=None)
def test_any_vector_of_losses_gets_finite_monotone_posteriors(loss_N: np.ndarray, which: int) -> None:
    template = EVERY[which]
    mixture: Mixture = type(template)(template.normalisation, template.tail, template.iterations)
    mixture.fit(loss_N)
    posterior_N = mixture.posterior(loss_N)
    assert posterior_N.shape == loss_N.shape
    assert np.isfinite(posterior_N).all()
    assert ((posterior_N >= 0.0) & (posterior_N <= 1.0)).all()
    known_N = ~np.isnan(loss_N)
    order_K = np.argsort(loss_N[known_N], kind="stable")
    assert (np.diff(posterior_N[known_N][order_K]) >= -1e-12).all()
    assert np.isfinite(mixture.weights_).all()
    assert mixture.reason_ is None or mixture.reason_
