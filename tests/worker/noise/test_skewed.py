"""Leaning components: their density against scipy's, their gradient against differences, recovery of what was planted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.optimize import check_grad

from worker.noise.sinh_arcsinh import Component, log_density
from worker.noise.skewed import SkewedMixture, on_line
from worker.noise.skewed_fit import SkewedFit, shape_prior

LINE = "log-odds of the loss"


def test_without_lean_and_with_tail_one_a_component_is_a_gaussian() -> None:
    x_N = np.linspace(-4.0, 6.0, 101)
    assert log_density(x_N, Component(1.0, 0.7, 0.0, 1.0)) == pytest.approx(
        stats.norm.logpdf(x_N, 1.0, 0.7), abs=1e-12
    )


@pytest.mark.parametrize("lean", [-0.6, 0.0, 0.9])
@pytest.mark.parametrize("tail", [0.7, 1.0, 1.4])
def test_a_components_density_is_that_of_the_transformed_gaussian(lean: float, tail: float) -> None:
    # By its definition: sinh(tail arcsinh(z) - lean) is a standard Gaussian, so the distribution function is known.
    x_P = np.linspace(-60.0, 60.0, 400_001)
    density_P = np.exp(log_density(x_P, Component(0.5, 1.3, lean, tail)))
    z_P = (x_P - 0.5) / 1.3
    exact_P = stats.norm.cdf(np.sinh(np.clip(tail * np.arcsinh(z_P) - lean, -30, 30)))
    total_P = np.concatenate([[0.0], np.cumsum((density_P[1:] + density_P[:-1]) / 2 * np.diff(x_P))])
    assert np.abs(total_P - (exact_P - exact_P[0])).max() < 1e-6


@pytest.mark.parametrize("leans", [(True,), (True, False), (True, True)])
def test_the_gradient_is_that_of_the_objective(leans: tuple[bool, ...]) -> None:
    rng = np.random.default_rng(0)
    point_M, count_M = np.sort(rng.normal(0.0, 1.5, 60)), rng.integers(1, 50, 60).astype(float)
    fit, prior = SkewedFit(point_M, count_M, leans, narrowest=-3.0), shape_prior(leans)
    value_P = rng.normal(0.0, 0.4, prior.precision_P.size)
    error = check_grad(
        lambda v: fit.objective(v, prior)[0],
        lambda v: fit.objective(v, prior)[1],
        value_P,
    )
    assert error < 1e-5


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.4, 0.7])
def test_planted_components_are_found(noise: float) -> None:
    rng = np.random.default_rng(1)
    noisy_N = rng.random(20_000) < noise
    score_N = np.where(noisy_N, rng.normal(4.0, 1.2, 20_000), rng.normal(-3.0, 1.5, 20_000))
    mixture = SkewedMixture().fit(score_N)
    assert mixture.weights_[1] == pytest.approx(noisy_N.mean(), abs=0.01)
    assert mixture.means_ == pytest.approx([-3.0, 4.0], abs=0.2)


def test_the_recorded_likelihood_is_that_of_the_density_also_on_the_losses_own_line() -> None:
    rng = np.random.default_rng(2)
    odds_N = np.where(rng.random(30_000) < 0.2, rng.normal(2.0, 1.0, 30_000), rng.normal(-3.0, 1.5, 30_000))
    mixture = SkewedMixture(line=LINE).fit(np.logaddexp(0.0, odds_N))
    assert mixture.log_likelihood_ == pytest.approx(
        np.log(mixture.density(np.logaddexp(0.0, odds_N)).sum(axis=0)).mean(), abs=0.01
    )
    x_P = np.logaddexp(0.0, np.linspace(-14.0, 12.0, 200_001))
    assert np.trapezoid(mixture.density(x_P).sum(axis=0), x_P) == pytest.approx(1.0, abs=0.01)


def test_the_losses_own_line_is_their_log_odds_without_overflow() -> None:
    probability_N = np.array([0.999, 0.5, 0.01])
    assert on_line(-np.log(probability_N), "log-odds of the loss") == pytest.approx(
        np.log((1 - probability_N) / probability_N)
    )
    assert on_line(np.array([0.0, 1e5]), "log-odds of the loss")[1] == pytest.approx(1e5)


@given(
    arrays(
        np.float64,
        st.integers(0, 200),
        elements=st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(0.0, 9.0), st.just(0.0)),
    ),
    st.sampled_from(
        [(1, False, "as given"), (2, False, "as given"), (2, True, "as given"), (2, False, LINE)]
    ),
)
@settings(max_examples=150, deadline=None)
def test_any_scores_get_finite_monotone_posteriors(score_N: np.ndarray, how: tuple[int, bool, str]) -> None:
    mixture = SkewedMixture(*how).fit(score_N)  # type: ignore[arg-type]
    posterior_N = mixture.posterior(score_N)
    assert ((posterior_N >= 0.0) & (posterior_N <= 1.0)).all()
    known_N = ~np.isnan(score_N)
    order_K = np.argsort(score_N[known_N], kind="stable")
    assert (np.diff(posterior_N[known_N][order_K]) >= -1e-12).all()
    assert not np.isnan(mixture.density(score_N[np.isfinite(score_N)])).any()
    assert np.isfinite(mixture.separation)
