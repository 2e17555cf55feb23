"""Runs side by side, against counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from backend.audit.comparison import overlaps, pairs

A_N = np.array([1, 1, 1, 0, 0, 0], bool)
B_N = np.array([0, 1, 1, 1, 0, 0], bool)
C_N = np.array([0, 0, 1, 0, 0, 0], bool)


def test_each_set_of_runs_has_the_samples_that_exactly_they_flagged() -> None:
    found = {one.runs: one.samples for one in overlaps([A_N, B_N, C_N])}
    assert found == {(0,): 1, (1,): 1, (2,): 0, (0, 1): 1, (0, 2): 0, (1, 2): 0, (0, 1, 2): 1}
    assert sum(found.values()) == int((A_N | B_N | C_N).sum())


def test_four_runs_are_sorted_into_fifteen_sets() -> None:
    flagged_RN = np.random.default_rng(0).random((4, 1000)) < 0.3
    found = overlaps(list(flagged_RN))
    assert len(found) == 15
    for one in found:
        inside = flagged_RN[list(one.runs)].all(axis=0)
        outside = flagged_RN[[run for run in range(4) if run not in one.runs]].any(axis=0)
        assert one.samples == int((inside & ~outside).sum())


def test_a_pair_shares_what_both_flagged() -> None:
    (pair,) = pairs([A_N, B_N], [np.arange(6.0), np.arange(6.0)])
    assert (pair.a, pair.b, pair.shared, pair.jaccard) == (0, 1, 2, 0.5)
    assert pair.rank_correlation == pytest.approx(1.0)


def test_the_rank_correlation_is_spearmans_also_with_equal_posteriors() -> None:
    rng = np.random.default_rng(0)
    one_N, two_N = rng.integers(0, 5, 300) / 5, rng.random(300)
    two_N[:150] = one_N[:150]
    (pair,) = pairs([one_N > 0.5, two_N > 0.5], [one_N, two_N])
    assert pair.rank_correlation == pytest.approx(spearmanr(one_N, two_N).statistic)


def test_runs_that_flag_nothing_or_rank_nothing_are_no_error() -> None:
    nothing_N = np.zeros(6, bool)
    (pair,) = pairs([nothing_N, nothing_N], [np.zeros(6), np.arange(6.0)])
    assert (pair.rank_correlation, pair.shared, pair.jaccard) == (None, 0, 1.0)
