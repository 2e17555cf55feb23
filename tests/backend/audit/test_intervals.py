"""The limits are exact: checked against scipy, against brute force, and by the coverage over all truths."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, hypergeom

from backend.audit.intervals import Seen, count_limits, quick_limits

NOMINAL = 0.95


def brute_force(seen: Seen) -> tuple[int, int]:
    """Every number of wrong labels under which what was seen is not too rare on either side."""
    possible = [
        wrong
        for wrong in range(seen.wrong, seen.samples - (seen.drawn - seen.wrong) + 1)
        if hypergeom.cdf(seen.wrong, seen.samples, wrong, seen.drawn) > 0.025
        and hypergeom.sf(seen.wrong - 1, seen.samples, wrong, seen.drawn) > 0.025
    ]
    return min(possible), max(possible)


@pytest.mark.parametrize("samples", [20, 57])
@pytest.mark.parametrize("drawn", [1, 7, 20])
def test_one_stratum_has_the_inverted_hypergeometric_test(samples: int, drawn: int) -> None:
    for wrong in range(drawn + 1):
        seen = Seen(samples, drawn, wrong)
        assert count_limits([seen]) == brute_force(seen), seen


@pytest.mark.parametrize(("drawn", "wrong"), [(100, 0), (100, 3), (80, 64), (30, 30)])
def test_a_large_stratum_has_clopper_and_pearsons_interval(drawn: int, wrong: int) -> None:
    low, high = (limit / 1_000_000 for limit in count_limits([Seen(1_000_000, drawn, wrong)]))
    assert low == pytest.approx(beta.ppf(0.025, wrong, drawn - wrong + 1) if wrong else 0, abs=2e-5)
    assert high == pytest.approx(beta.ppf(0.975, wrong + 1, drawn - wrong) if wrong < drawn else 1, abs=2e-5)


def test_a_stratum_reviewed_whole_is_known() -> None:
    assert count_limits([Seen(40, 40, 7)]) == (7, 7)
    assert count_limits([Seen(40, 40, 7), Seen(9, 9, 2)]) == (9, 9)
    low, high = count_limits([Seen(40, 40, 7), Seen(1000, 100, 3)])
    assert (low - 7, high - 7) == count_limits([Seen(1000, 100, 3)])


def test_an_empty_stratum_changes_nothing_and_an_unseen_one_may_hold_anything() -> None:
    alone = count_limits([Seen(500, 50, 5)])
    assert count_limits([Seen(0, 0, 0), Seen(500, 50, 5)]) == alone
    assert count_limits([Seen(30, 0, 0), Seen(500, 50, 5)]) == (alone[0], alone[1] + 30)
    assert count_limits([Seen(30, 0, 0)]) == (0, 30)
    assert count_limits([]) == (0, 0)


@pytest.mark.parametrize("bad", [Seen(10, 11, 0), Seen(10, 5, 6), Seen(10, 5, -1)])
def test_counts_that_cannot_be_are_refused(bad: Seen) -> None:
    with pytest.raises(ValueError, match="no such sample"):
        count_limits([bad])


def test_three_samples_are_not_combined() -> None:
    with pytest.raises(ValueError, match="at most two"):
        count_limits([Seen(10, 5, 1)] * 3)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Seen(40, 8, 0), Seen(160, 12, 0)),
        (Seen(30, 10, 0), Seen(30, 5, 0)),
        (Seen(12, 12, 0), Seen(90, 15, 0)),
        (Seen(8, 3, 0), Seen(300, 20, 0)),
    ],
)
def test_two_strata_are_covered_at_every_truth_there_is(first: Seen, second: Seen) -> None:
    """Exact coverage of both limits, from the hypergeometric probabilities of everything that can be seen."""
    seen = list(itertools.product(range(first.drawn + 1), range(second.drawn + 1)))
    limits = {(i, j): count_limits([first._replace(wrong=i), second._replace(wrong=j)]) for i, j in seen}
    low, high = (np.array([limits[pair][end] for pair in seen]) for end in (0, 1))
    first_pmf, second_pmf = (
        np.array(
            [
                hypergeom.pmf(range(each.drawn + 1), each.samples, wrong, each.drawn)
                for wrong in range(each.samples + 1)
            ]
        )
        for each in (first, second)
    )
    step = max(1, second.samples // 40)
    for first_wrong in range(first.samples + 1):
        for second_wrong in range(0, second.samples + 1, step):
            truth = first_wrong + second_wrong
            chance = np.outer(first_pmf[first_wrong], second_pmf[second_wrong]).ravel()
            assert chance[low > truth].sum() <= 0.025 + 1e-8, (first_wrong, second_wrong)
            assert chance[high < truth].sum() <= 0.025 + 1e-8, (first_wrong, second_wrong)


@pytest.mark.parametrize("flag_precision", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize(("missed", "size"), [(0.0, 20), (0.001, 100), (0.01, 100), (0.1, 50), (0.5, 20)])
def test_the_dataset_is_covered_at_least_nominally_in_simulation(
    limits_of: Callable[..., tuple[int, int]], flag_precision: float, missed: float, size: int
) -> None:
    """Samples of a dataset with 500 flags among 5 000: the truth lies inside in at least 95 of 100 reviews."""
    flagged, others = 500, 4500
    truth = round(flag_precision * flagged), round(missed * others)
    rng = np.random.default_rng(size)
    draws = 100
    inside = 0
    for _ in range(draws):
        drawn = (size * 2 // 5, size - size * 2 // 5)
        wrong = [
            int(rng.hypergeometric(bad, samples - bad, count))
            for bad, samples, count in zip(truth, (flagged, others), drawn, strict=True)
        ]
        low, high = limits_of(flagged, drawn[0], wrong[0], others, drawn[1], wrong[1])
        inside += low <= sum(truth) <= high
    # Five misses in a hundred, and what so few draws may add to them once in a thousand.
    assert inside >= draws - 12


@pytest.fixture(scope="module")
def limits_of() -> Callable[..., tuple[int, int]]:
    """`count_limits` of two strata, remembered: many draws see the same."""
    known: dict[tuple[int, ...], tuple[int, int]] = {}

    def limits(*numbers: int) -> tuple[int, int]:
        if numbers not in known:
            known[numbers] = count_limits([Seen(*numbers[:3]), Seen(*numbers[3:])])
        return known[numbers]

    return limits


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_limits_hold_the_estimate_and_more_wrong_labels_never_lower_them(data: st.DataObject) -> None:
    strata = []
    for _ in range(2):
        samples = data.draw(st.integers(1, 3000))
        drawn = data.draw(st.integers(1, min(samples, 60)))
        strata.append(Seen(samples, drawn, data.draw(st.integers(0, drawn - 1))))
    low, high = count_limits(strata)
    tolerance = sum(each.samples for each in strata) // 10_000
    estimate = sum(each.samples * each.wrong / each.drawn for each in strata)
    assert low - 1 <= estimate <= high + 1
    more = count_limits([strata[0]._replace(wrong=strata[0].wrong + 1), strata[1]])
    assert more[0] >= low - tolerance
    assert more[1] >= high - tolerance
    quick_low, quick_high = quick_limits(strata)
    assert 0 <= quick_low <= estimate + 1e-6
    assert quick_high >= estimate - 1e-6


def test_the_combined_interval_is_narrower_than_the_two_limits_added() -> None:
    flagged, others = Seen(1000, 80, 67), Seen(9000, 120, 2)
    low, high = count_limits([flagged, others])
    added = [sum(ends) for ends in zip(count_limits([flagged]), count_limits([others]), strict=True)]
    assert high - low < 0.85 * (added[1] - added[0])
    quick_low, quick_high = quick_limits([flagged, others])
    assert quick_high - quick_low == pytest.approx(high - low, rel=0.1)
