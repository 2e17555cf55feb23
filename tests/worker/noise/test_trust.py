"""The verdicts, each for its reason."""

from __future__ import annotations

import numpy as np
import pytest

from worker.noise.assess import assess
from worker.noise.fits import fits
from worker.noise.gaussian import GaussianMixture
from worker.noise.labels import LabelModel
from worker.noise.trust import Trust, trust_of, trust_of_labels


def two_groups(distance: float, noisy: int, samples: int = 4000) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(0.0, 1.0, samples - noisy), rng.normal(distance, 1.0, noisy)])


def judged(loss_N: np.ndarray) -> Trust:
    return assess(loss_N).trust


def test_two_clear_groups_are_believed() -> None:
    trust = judged(two_groups(8.0, 1200))
    assert trust.verdict == "good"
    assert "two groups" in trust.reasons[0]


def test_one_group_is_no_mixture() -> None:
    assert judged(two_groups(0.0, 0)).verdict == "none"


def test_a_second_component_must_pay_and_lie_apart() -> None:
    loss_N = two_groups(3.0, 2000)
    mixture = GaussianMixture(tail=0.0).fit(loss_N)
    assert "One group of samples" in trust_of(mixture, loss_N, 0.0).reasons[0]
    assert "nearly as well" in " ".join(trust_of(mixture, loss_N, 0.0005).reasons)
    overlapping = GaussianMixture(tail=0.0).fit(two_groups(1.0, 2000))
    assert "overlap too much" in trust_of(overlapping, loss_N, 0.009).reasons[0]


def test_components_that_overlap_are_believed_with_doubt_where_one_group_explains_far_less() -> None:
    loss_N = two_groups(1.0, 2000)
    overlapping = GaussianMixture(tail=0.0).fit(loss_N)
    assert 0.6 < overlapping.separation < 1.6
    assert trust_of(overlapping, loss_N, 0.011).verdict == "doubtful"
    assert trust_of(overlapping, loss_N, 0.009).verdict == "none"


def test_a_witness_decides_a_tie_and_no_more_than_a_tie() -> None:
    loss_N = two_groups(3.0, 2000)
    mixture = GaussianMixture(tail=0.0).fit(loss_N)
    assert trust_of(mixture, loss_N, -0.0005).verdict == "none"
    heard = trust_of(mixture, loss_N, -0.0005, corroborated=True)
    assert heard.verdict == "doubtful"
    assert "the predictions speak of wrong labels too" in heard.reasons[0]
    assert trust_of(mixture, loss_N, -0.0011, corroborated=True).verdict == "none"
    overlapping = GaussianMixture(tail=0.0).fit(two_groups(1.0, 2000))
    assert trust_of(overlapping, loss_N, 0.0005, corroborated=True).verdict == "none"
    leaning = GaussianMixture(tail=0.0).fit(two_groups(1.5, 2000))
    assert 1.2 < leaning.separation < 1.6
    assert trust_of(leaning, loss_N, 0.006).verdict == "none"
    assert trust_of(leaning, loss_N, 0.006, corroborated=True).verdict == "doubtful"


def test_a_handful_of_noisy_samples_is_doubtful() -> None:
    trust = judged(two_groups(14.0, 12))
    assert trust.verdict == "doubtful"
    assert "Only about 12" in " ".join(trust.reasons)


def test_losses_that_are_no_numbers_are_told() -> None:
    trust = judged(np.append(two_groups(8.0, 1200), [np.nan, np.inf]))
    assert trust.verdict == "doubtful"
    assert "2 losses are not numbers" in trust.reasons[0]


def test_equal_losses_are_no_mixture_and_the_reason_says_so() -> None:
    assert judged(np.ones(100)).as_dict() == {
        "verdict": "none",
        "reasons": ["There is no mixture to speak of: all losses are equal."],
    }


@pytest.mark.parametrize("end", [-20.0, 20.0])
def test_losses_piled_up_at_one_end_are_saturated(end: float) -> None:
    loss_N = two_groups(8.0, 1200)
    loss_N[:3000] = end
    trust = judged(loss_N)
    assert trust.verdict == "none"
    assert "75 %" in trust.reasons[0]


def test_mostly_noisy_is_doubted() -> None:
    trust = judged(two_groups(9.0, 3800))
    assert trust.verdict == "doubtful"
    assert "nine in ten" in " ".join(trust.reasons)


def test_a_second_component_wins_only_where_there_are_two_groups() -> None:
    assert max(fits(two_groups(8.0, 1200)).gains.values()) > 0.1
    assert max(fits(two_groups(0.0, 0)).gains.values()) < 0.001


def test_repeated_given_labels_are_told_from_out_of_sample_predictions() -> None:
    rng = np.random.default_rng(0)
    given_N = rng.integers(0, 4, 2000)
    probability_NC = np.eye(4)[given_N]
    model = LabelModel().fit(probability_NC, given_N)
    posterior_N = model.posterior(probability_NC, given_N)
    assert "not out of sample" in trust_of_labels(model, posterior_N, 1.0, 1.0).reasons[0]
    noise_NC = rng.dirichlet(np.ones(4), 2000)
    model = LabelModel().fit(noise_NC, given_N)
    trust = trust_of_labels(model, model.posterior(noise_NC, given_N), 0.25, 0.0)
    assert trust.verdict == "none"
    assert "no more of a label" in trust.reasons[0]
