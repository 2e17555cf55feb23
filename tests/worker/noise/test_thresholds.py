"""Thresholds do what was wished for, ties included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from worker.noise.thresholds import NOBODY, THRESHOLD, balanced_threshold, flags, threshold_for

POSTERIOR = arrays(
    np.float64, st.integers(0, 60), elements=st.one_of(st.floats(0.0, 1.0), st.sampled_from([0.0, 0.5, 1.0, np.nan]))
)  # fmt: skip


@given(POSTERIOR, st.integers(0, 70))
@settings(max_examples=200, deadline=None)
def test_a_budget_is_never_exceeded_and_used_as_far_as_ties_allow(
    posterior_N: np.ndarray, budget: int
) -> None:
    flagged_N = flags(posterior_N, threshold_for(posterior_N, budget=budget))
    assert flagged_N.sum() <= budget
    rest_N = posterior_N[~flagged_N & ~np.isnan(posterior_N)]
    if rest_N.size:
        assert flagged_N.sum() + (rest_N == rest_N.max()).sum() > budget


@given(POSTERIOR, st.floats(0.0, 1.0))
@settings(max_examples=200, deadline=None)
def test_the_expected_precision_is_reached_and_no_lower_threshold_reaches_it(
    posterior_N: np.ndarray, wanted: float
) -> None:
    threshold = threshold_for(posterior_N, expected_precision=wanted)
    flagged_N = flags(posterior_N, threshold)
    if flagged_N.any():
        assert posterior_N[flagged_N].mean() >= wanted - 1e-9
    for lower in np.unique(posterior_N[posterior_N < threshold]):
        assert posterior_N[posterior_N >= lower].mean() < wanted + 1e-9


def test_without_a_wish_the_likelier_kind_decides() -> None:
    assert threshold_for([0.1, 0.9]) == THRESHOLD == 0.5
    assert threshold_for([0.1, 0.9], posterior=0.7) == 0.7


def test_nothing_is_flagged_where_nothing_satisfies_the_wish() -> None:
    assert threshold_for([0.2, 0.3], expected_precision=0.9) == NOBODY
    assert not flags([1.0, 1.0], threshold_for([1.0, 1.0], budget=1)).any()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"posterior": 1.5}, "1.5 is outside"),
        ({"expected_precision": float("nan")}, "nan is outside"),
        ({"budget": -1}, "-1 is below 0"),
        ({"budget": 3, "posterior": 0.5}, "choose one"),
    ],
)
def test_a_wish_outside_its_range_is_named(wish: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        threshold_for([0.5], **wish)


@given(POSTERIOR)
@settings(max_examples=200, deadline=None)
def test_no_threshold_promises_a_higher_f1_than_the_balanced_one(posterior_N: np.ndarray) -> None:
    def expected(threshold: float) -> float:
        flagged_N = flags(posterior_N, threshold)
        total = flagged_N.sum() + np.nansum(posterior_N)
        return float(2.0 * posterior_N[flagged_N].sum() / total) if total > 0.0 else 0.0

    found = expected(balanced_threshold(posterior_N))
    assert all(expected(other) <= found + 1e-9 for other in posterior_N[~np.isnan(posterior_N)])


def test_the_balanced_threshold_of_true_posteriors_is_half_the_f1_it_reaches() -> None:
    posterior_N = np.random.default_rng(0).beta(0.6, 2.0, 100_000)
    threshold = balanced_threshold(posterior_N)
    flagged_N = flags(posterior_N, threshold)
    reached = 2.0 * posterior_N[flagged_N].sum() / (flagged_N.sum() + posterior_N.sum())
    assert threshold == pytest.approx(reached / 2.0, abs=0.002)
    assert threshold < 0.4
    assert balanced_threshold([]) == balanced_threshold([0.0, np.nan]) == THRESHOLD
