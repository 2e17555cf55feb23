"""The label model: planted transitions are found, posteriors are Bayes', clean labels are not accused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from worker.noise.detection import flag_metrics
from worker.noise.inject import inject
from worker.noise.labels import LabelModel


def network(samples: int = 12_000, classes: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a network that is right nine times in ten and too sure of itself, and the true labels."""
    rng = np.random.default_rng(seed)
    true_N = rng.integers(0, classes, samples)
    logit_NC = rng.normal(0.0, 1.0, (samples, classes))
    logit_NC[np.arange(samples), true_N] += rng.gamma(4.0, 1.2, samples)
    probability_NC = np.exp(1.6 * (logit_NC - logit_NC.max(axis=1, keepdims=True)))
    return probability_NC / probability_NC.sum(axis=1, keepdims=True), true_N


@pytest.mark.parametrize("kind", ["symmetric-exclusive", "class-conditional"])
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.4])
def test_planted_noise_is_found_at_its_rate_and_kind(kind: str, rate: float) -> None:
    probability_NC, true_N = network()
    given_N = inject(true_N, 6, kind, rate, np.random.default_rng(1))
    model = LabelModel().fit(probability_NC, given_N)
    posterior_N = model.posterior(probability_NC, given_N)
    assert model.structured_ == (kind == "class-conditional")
    assert posterior_N.mean() == pytest.approx((given_N != true_N).mean(), abs=0.01)
    best = max(
        flag_metrics(given_N != true_N, posterior_N >= cut)["f1"] for cut in np.linspace(0.02, 0.98, 49)
    )
    assert flag_metrics(given_N != true_N, posterior_N >= 0.5)["f1"] > best - 0.03


def test_few_wrong_labels_among_many_classes_are_not_explained_away() -> None:
    rng, classes = np.random.default_rng(0), 300
    true_N = rng.integers(0, classes, 5 * classes)
    logit_NC = rng.normal(0.0, 1.0, (true_N.size, classes))
    logit_NC[np.arange(true_N.size), true_N] += rng.gamma(9.0, 1.0, true_N.size)
    probability_NC = np.exp(2.0 * (logit_NC - logit_NC.max(axis=1, keepdims=True)))
    probability_NC /= probability_NC.sum(axis=1, keepdims=True)
    given_N = inject(true_N, classes, "symmetric-exclusive", 0.03, np.random.default_rng(1))
    model = LabelModel().fit(probability_NC, given_N)
    posterior_N = model.posterior(probability_NC, given_N)
    assert flag_metrics(given_N != true_N, posterior_N >= 0.5)["f1"] > 0.98
    assert model.offset_C_.std() < 1.0


@pytest.mark.parametrize("seed", [2, 3])
def test_two_classes_that_are_told_apart_leave_a_likely_fit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true_N = rng.integers(0, 2, 1_000)
    logit_N = rng.normal(np.where(true_N == 1, 30.0, -30.0), 11.0)
    probability_NC = np.stack([1.0 / (1.0 + np.exp(logit_N)), 1.0 / (1.0 + np.exp(-logit_N))], axis=1)
    assert LabelModel().fit(probability_NC, true_N).informative_ > 0.6


def test_a_full_matrix_is_the_planted_one() -> None:
    probability_NC, true_N = network(30_000)
    matrix_CC = 0.7 * np.eye(6) + 0.2 * np.roll(np.eye(6), 1, axis=1) + 0.1 * np.roll(np.eye(6), 2, axis=1)
    given_N = inject(true_N, 6, "class-conditional", 0.0, np.random.default_rng(1), matrix=matrix_CC)
    model = LabelModel().fit(probability_NC, given_N)
    assert np.abs(model.transition_CC_ - matrix_CC).max() < 0.04
    assert model.transition_CC_.sum(axis=1) == pytest.approx(np.ones(6), abs=1e-6)


def test_right_labels_are_hardly_accused() -> None:
    probability_NC, true_N = network()
    posterior_N = LabelModel().fit(probability_NC, true_N).posterior(probability_NC, true_N)
    assert (posterior_N >= 0.5).mean() <= 0.005
    assert posterior_N.mean() <= 0.005


def test_the_posterior_is_bayes_rule_with_the_fitted_parts() -> None:
    probability_NC, true_N = network(1000)
    given_N = inject(true_N, 6, "class-conditional", 0.3, np.random.default_rng(2))
    model = LabelModel().fit(probability_NC, given_N)
    found_N = model.posterior(probability_NC, given_N)
    for i in range(20):
        log_C = np.log(probability_NC[i])
        log_C = log_C - log_C.mean()
        logit_C = model.slopes_[0] * log_C + model.slopes_[1] * (log_C @ model._affinity_CC) + model.offset_C_
        joint_C = np.exp(logit_C - logit_C.max()) * model.transition_CC_[:, given_N[i]]
        assert found_N[i] == pytest.approx(1.0 - joint_C[given_N[i]] / joint_C.sum(), abs=1e-9)


def test_few_samples_and_one_class_have_their_reason() -> None:
    probability_NC, true_N = network(60)
    assert "only 60 samples" in str(LabelModel().fit(probability_NC, true_N).reason_)
    probability_NC, true_N = network(500)
    assert "the same" in str(LabelModel().fit(probability_NC, np.zeros(500, int)).reason_)


@given(
    arrays(
        np.float64,
        st.tuples(st.just(220), st.integers(2, 4)),
        elements=st.one_of(st.floats(0.0, 1.0), st.sampled_from([0.0, 1.0, 1e-300, 1e300])),
    ),
    st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_any_probabilities_get_posteriors(probability_NC: np.ndarray, seed: int) -> None:
    given_N = np.random.default_rng(seed).integers(0, probability_NC.shape[1], len(probability_NC))
    model = LabelModel().fit(probability_NC, given_N)
    posterior_N = model.posterior(probability_NC, given_N)
    assert ((posterior_N >= 0.0) & (posterior_N <= 1.0)).all()
    assert np.isfinite(model.transition_CC_).all()
