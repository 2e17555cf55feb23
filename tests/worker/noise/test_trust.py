"""The verdicts on a mixture, each for its reason."""

from __future__ import annotations

import numpy as np
import pytest

from worker.noise.mixtures import BetaMixture, GaussianMixture
from worker.noise.trust import penalised_gain, trust_of


def two_groups(distance: float, noisy: int, samples: int = 4000) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(0.0, 1.0, samples - noisy), rng.normal(distance, 1.0, noisy)])


def fitted(loss_N: np.ndarray) -> GaussianMixture:
    return GaussianMixture(tail=0.0).fit(loss_N)


def test_two_clear_groups_are_believed() -> None:
    loss_N = two_groups(8.0, 1200)
    trust = trust_of(fitted(loss_N), loss_N)
    assert trust.verdict == "good"
    assert "two groups" in trust.reasons[0]


def test_one_group_is_no_mixture() -> None:
    loss_N = two_groups(0.0, 0)
    assert trust_of(fitted(loss_N), loss_N).verdict == "none"


def test_a_handful_of_noisy_samples_is_doubtful() -> None:
    loss_N = two_groups(12.0, 10)
    trust = trust_of(fitted(loss_N), loss_N)
    assert trust.verdict == "doubtful"
    assert "Only about 10" in " ".join(trust.reasons)


def test_losses_that_are_no_numbers_are_told() -> None:
    loss_N = np.append(two_groups(8.0, 1200), [np.nan, np.inf])
    trust = trust_of(fitted(loss_N), loss_N)
    assert trust.verdict == "doubtful"
    assert "2 losses are not numbers" in trust.reasons[0]


def test_equal_losses_are_no_mixture_and_the_reason_says_so() -> None:
    loss_N = np.ones(100)
    assert trust_of(fitted(loss_N), loss_N).as_dict() == {
        "verdict": "none",
        "reasons": ["There is no mixture to speak of: all losses are equal."],
    }


@pytest.mark.parametrize("make", [BetaMixture, GaussianMixture])
def test_a_second_component_pays_only_where_there_are_two(
    make: type[BetaMixture] | type[GaussianMixture],
) -> None:
    assert penalised_gain(make(tail=0.0).fit(two_groups(8.0, 1200)), two_groups(8.0, 1200)) > 0.1
    rng = np.random.default_rng(0)
    single_N = rng.beta(3.0, 3.0, 3000) if make is BetaMixture else rng.normal(0.0, 1.0, 3000)
    assert penalised_gain(make(tail=0.0).fit(single_N), single_N) < 0.01
