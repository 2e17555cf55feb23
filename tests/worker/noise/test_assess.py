"""From scores to flags: planted noise is found, clean data is not accused, ranks survive."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from worker.noise.assess import assess, strictly_increasing
from worker.noise.detection import auroc, flag_metrics


def margins(samples: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Suspicion scores as trainings give them: clean samples skewed towards their hard ones, noisy in a bump."""
    rng = np.random.default_rng(seed)
    noisy_N = rng.random(samples) < noise
    score_N = np.where(noisy_N, rng.normal(2.5, 0.9, samples), -3.0 + rng.gamma(2.0, 0.8, samples))
    return score_N, noisy_N


@pytest.mark.parametrize("noise", [0.2, 0.3, 0.4, 0.5])
def test_planted_noise_is_flagged_and_its_rate_estimated(noise: float) -> None:
    score_N, noisy_N = margins(5000, noise)
    found = assess(score_N)
    assert found.trust.verdict == "good"
    assert found.model in ("beta", "gaussian")
    assert found.noise_rate == pytest.approx(noisy_N.mean(), abs=0.08)
    low, high = found.noise_rate_interval
    assert low <= found.noise_rate <= high
    best = max(
        flag_metrics(noisy_N, score_N >= cut)["f1"] for cut in np.quantile(score_N, np.linspace(0, 1, 400))
    )
    assert flag_metrics(noisy_N, found.flagged_N)["f1"] > best - 0.05


@pytest.mark.parametrize("samples", [500, 5000, 50000])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", ["gamma", "normal", "exponential", "beta", "uniform"])
def test_scores_of_one_group_accuse_almost_nobody(shape: str, samples: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    score_N = {
        "gamma": lambda: rng.gamma(2.0, 1.0, samples),
        "normal": lambda: rng.normal(0.0, 1.0, samples),
        "exponential": lambda: rng.exponential(1.0, samples),
        "beta": lambda: rng.beta(0.8, 6.0, samples),
        "uniform": lambda: rng.uniform(0.0, 1.0, samples),
    }[shape]()
    found = assess(score_N)
    assert found.flagged_N.mean() <= 0.005, found.describe()
    assert found.noise_rate <= 0.005
    assert found.trust.reasons


def test_too_few_samples_are_judged_by_nobody() -> None:
    found = assess(np.arange(30.0))
    assert found.model == "none"
    assert found.trust.verdict == "none"
    assert "30" in found.trust.reasons[0]
    assert not found.flagged_N.any()
    assert found.noise_rate_interval == (0.0, 1.0)


def test_the_posterior_ranks_exactly_as_the_score_also_where_it_saturates() -> None:
    score_N, noisy_N = margins(20000, 0.4)
    score_N = score_N * 50.0
    posterior_N = assess(score_N).noise_posterior_N
    order_N = np.argsort(score_N)
    assert (np.diff(posterior_N[order_N]) > 0.0).all()
    assert posterior_N.min() > 0.0
    assert posterior_N.max() < 1.0
    assert auroc(noisy_N, posterior_N) == auroc(noisy_N, score_N)


def test_equal_scores_get_equal_posteriors_and_the_blend_moves_them_little() -> None:
    score_N = np.array([3.0, 1.0, 1.0, np.nan, 2.0])
    raw_N = np.array([1.0, 0.0, 0.0, 0.3, 1.0])
    posterior_N = strictly_increasing(raw_N, score_N)
    assert posterior_N[1] == posterior_N[2] < posterior_N[4] < posterior_N[0]
    assert posterior_N == pytest.approx(raw_N, abs=1.1e-6)


@given(
    arrays(
        np.float64,
        st.integers(0, 200),
        elements=st.one_of(
            st.floats(allow_nan=True, allow_infinity=True), st.floats(-5.0, 5.0), st.just(1.0)
        ),
    )
)
@settings(max_examples=200, deadline=None)
def test_any_scores_get_a_defined_answer_that_can_be_written_as_json(score_N: np.ndarray) -> None:
    found = assess(score_N)
    assert ((found.noise_posterior_N > 0.0) & (found.noise_posterior_N < 1.0)).all()
    histogram, mixtures = found.figures(score_N)
    assert sum(histogram["counts"]) + histogram["not_finite"] == score_N.size
    json.dumps([found.describe(), histogram, mixtures], allow_nan=False)
