"""From scores to flags: planted noise is found, clean data is not accused, ranks survive."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from worker.noise.assess import assess, assess_probabilities, assess_training, strictly_increasing
from worker.noise.detection import auroc, flag_metrics
from worker.noise.scores import margin


def margins(samples: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Suspicion scores as trainings give them: clean samples skewed towards their hard ones, noisy in a bump."""
    rng = np.random.default_rng(seed)
    noisy_N = rng.random(samples) < noise
    score_N = np.where(noisy_N, rng.normal(2.5, 0.9, samples), -3.0 + rng.gamma(2.0, 0.8, samples))
    return score_N, noisy_N


@pytest.mark.parametrize("noise", [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
def test_planted_noise_is_flagged_and_its_rate_estimated(noise: float) -> None:
    score_N, noisy_N = margins(5000, noise)
    found = assess(score_N)
    assert found.trust.verdict == "good"
    assert found.model in ("beta", "gaussian")
    assert found.noise_rate == pytest.approx(noisy_N.mean(), abs=0.04)
    low, high = found.noise_rate_interval
    assert low <= noisy_N.mean() <= high
    best = max(
        flag_metrics(noisy_N, score_N >= cut)["f1"] for cut in np.quantile(score_N, np.linspace(0, 1, 400))
    )
    assert flag_metrics(noisy_N, found.flagged_N)["f1"] > best - (
        0.03 if noise > 0.05 else 0.06
    )  # few noisy ones drown in a gamma's tail


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


@pytest.mark.parametrize("samples", [500, 5000, 50000])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("shape", ["margins", "log-odds", "losses of a skewed margin"])
def test_what_looks_like_a_training_without_noise_accuses_almost_nobody(
    shape: str, samples: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    margin_N = {
        "margins": lambda: rng.normal(3.0, 2.0, samples) + rng.exponential(1.0, samples),
        "log-odds": lambda: rng.normal(4.0, 2.5, samples),
        "losses of a skewed margin": lambda: rng.gamma(4.0, 1.2, samples) - 1.0,
    }[shape]()
    score_N = -margin_N if shape == "margins" else np.logaddexp(0.0, -margin_N)
    found = assess(score_N)
    assert found.flagged_N.mean() <= 0.005, found.describe()
    assert found.noise_rate_interval[0] == 0.0


def test_classes_that_disagree_with_the_pooled_fit_are_fitted_by_themselves() -> None:
    rng = np.random.default_rng(3)
    label_N = rng.integers(0, 3, 9000)
    noisy_N = rng.random(9000) < 0.2
    # A hard class whose clean samples score where the easy class's noisy ones do.
    clean_at_3 = np.array([-9.0, -5.5, 2.0])
    score_N = np.where(noisy_N, clean_at_3[label_N] + 5.0, clean_at_3[label_N]) + rng.normal(0.0, 1.0, 9000)
    pooled, split = assess(score_N), assess(score_N, label_N)
    assert flag_metrics(noisy_N, split.flagged_N)["f1"] > flag_metrics(noisy_N, pooled.flagged_N)["f1"] + 0.15
    assert "Classes disagree" in " ".join(split.trust.reasons)
    assert split.trust.verdict == "doubtful"
    assert set(split.class_rates) == {0, 1, 2}


def test_classes_that_agree_leave_the_pooled_fit_alone_however_small_they_are() -> None:
    score_N, _ = margins(5000, 0.3)
    label_N = np.random.default_rng(4).integers(0, 10, 5000)
    label_N[:30] = 77
    assert (assess(score_N, label_N).noise_posterior_N == assess(score_N).noise_posterior_N).all()
    with pytest.raises(ValueError, match="3 entries"):
        assess(score_N, [0, 1, 2])


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(0, 60), st.integers(2, 4)),
        elements=st.one_of(st.floats(0.0, 1.0), st.sampled_from([0.0, 1.0, 1e-300, 1e300])),
    ),
    st.integers(1, 8),
    st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_any_probabilities_get_a_defined_answer(probability_NC: np.ndarray, times: int, seed: int) -> None:
    probability_NC = np.repeat(probability_NC, times, axis=0)
    given_N = np.random.default_rng(seed).integers(0, probability_NC.shape[1], len(probability_NC))
    found = assess_probabilities(probability_NC, given_N)
    assert ((found.noise_posterior_N > 0.0) & (found.noise_posterior_N < 1.0)).all()
    assert found.model in ("beta", "gaussian", "none")
    assert (found.model == "none") == (found.trust.verdict == "none")
    low, high = found.noise_rate_interval
    assert 0.0 <= low <= high <= 1.0
    json.dumps(found.describe(), allow_nan=False)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 1e6, 1e100])
@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_the_unit_of_margins_changes_no_verdict(scale: float, shift: float) -> None:
    score_N, _ = margins(3000, 0.3)
    found = assess((score_N + shift) * scale)
    assert found.trust.verdict == "good"
    assert found.noise_rate == pytest.approx(assess(score_N).noise_rate, abs=0.02)


def one_group(wrong: float, samples: int = 6000, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions that hesitate so much that their odds show one group; given labels; which are noisy."""
    rng = np.random.default_rng(seed)
    true_N = rng.integers(0, 5, samples)
    logit_NC = rng.normal(0.0, 1.0, (samples, 5))
    logit_NC[np.arange(samples), true_N] += rng.gamma(2.0, 1.0, samples)
    probability_NC = np.exp(logit_NC) / np.exp(logit_NC).sum(axis=1, keepdims=True)
    noisy_N = rng.random(samples) < wrong
    return probability_NC, np.where(noisy_N, (true_N + rng.integers(1, 5, samples)) % 5, true_N), noisy_N


def test_where_scores_form_one_group_the_predictions_are_heard_with_doubt() -> None:
    probability_NC, given_N, noisy_N = one_group(0.4)
    score_N = margin(probability_NC, given_N)
    assert assess(score_N).trust.verdict == "none"
    judged = assess_training(score_N, probability_NC, given_N)
    assert judged.trust.verdict == "doubtful"
    assert judged.noise_rate_interval[0] <= noisy_N.mean() <= judged.noise_rate_interval[1]
    best = max(
        flag_metrics(noisy_N, score_N >= cut)["f1"] for cut in np.quantile(score_N, np.linspace(0, 1, 400))
    )
    assert flag_metrics(noisy_N, judged.flagged_N)["f1"] > best - 0.03
    assert noisy_N[judged.flagged_N].mean() > 0.7
    order_N = np.argsort(score_N, kind="stable")
    assert (np.diff(judged.noise_posterior_N[order_N]) > 0).all()


def test_nobody_is_accused_when_neither_scores_nor_predictions_speak_of_noise() -> None:
    probability_NC, given_N, _ = one_group(0.0)
    judged = assess_training(margin(probability_NC, given_N), probability_NC, given_N)
    assert judged.flagged_N.mean() <= 0.005


def test_no_more_labels_are_wrong_than_a_network_failed_to_predict_before_it_could_learn_them() -> None:
    probability_NC, given_N, _ = one_group(0.0)
    score_N = margin(probability_NC, given_N)
    assert assess_training(score_N, probability_NC, given_N).noise_rate_interval == (0.0, 1.0)
    assert assess_training(score_N, probability_NC, given_N, 0.25).noise_rate_interval == pytest.approx(
        (0.0, 0.3)
    )
    probability_NC, given_N, noisy_N = one_group(0.25)
    low, high = assess_training(
        margin(probability_NC, given_N), probability_NC, given_N, 0.5
    ).noise_rate_interval
    assert low < noisy_N.mean() < high == pytest.approx(0.6)


def test_after_a_training_flags_balance_what_is_missed_against_what_is_accused_wrongly() -> None:
    probability_NC, given_N, noisy_N = one_group(0.25)
    judged = assess_training(margin(probability_NC, given_N), probability_NC, given_N)
    assert judged.threshold < 0.45
    assert (judged.flagged_N == (judged.noise_posterior_N >= judged.threshold)).all()
    at_half = flag_metrics(noisy_N, judged.noise_posterior_N >= 0.5)["f1"]
    assert flag_metrics(noisy_N, judged.flagged_N)["f1"] > at_half + 0.02


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(0, 60), st.just(3)),
        elements=st.one_of(st.floats(0.0, 1.0), st.sampled_from([0.0, 1.0, 1e-300])),
    ),
    st.integers(1, 6),
    st.floats(0.0, 1.0),
)
@settings(max_examples=30, deadline=None)
def test_any_training_gets_a_defined_answer(probability_NC: np.ndarray, times: int, early: float) -> None:
    probability_NC = np.repeat(probability_NC, times, axis=0)
    given_N = np.arange(len(probability_NC)) % 3
    score_N = margin(probability_NC, given_N)
    score_N[::7] = np.nan
    judged = assess_training(score_N, probability_NC, given_N, early)
    assert ((judged.noise_posterior_N > 0.0) & (judged.noise_posterior_N < 1.0)).all()
    low, high = judged.noise_rate_interval
    assert 0.0 <= low <= judged.noise_rate <= high <= 1.0
    json.dumps(judged.describe(), allow_nan=False)
