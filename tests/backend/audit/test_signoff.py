"""Plans are random, repeatable and grow; what they find is unbiased and holds the truth often enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.signoff import Findings, Plan, allocation, findings, plan, remaining, tallies

FLAGS = st.lists(st.booleans(), max_size=120).map(lambda flags: np.array(flags, dtype=bool))


def flags(flagged: int, others: int) -> Any:
    """So many flagged samples and others, mixed."""
    return np.random.default_rng(7).permutation(np.arange(flagged + others) < flagged)


def review(drawn: Plan, wrong_N: Any, count: int | None = None) -> dict[int, tuple[str, None]]:
    """Decisions of somebody who is always right, on the first `count` samples of the plan."""
    return {int(index): ("remove" if wrong_N[index] else "keep", None) for index in drawn.index_S[:count]}


def found(flagged_N: Any, drawn: Plan, standing: Any) -> Findings:
    return findings(tallies(drawn, flagged_N, np.zeros(len(flagged_N), dtype=int), standing))


@given(FLAGS, st.integers(0, 150), st.integers(0, 2**31 - 1))
def test_a_plan_has_no_sample_twice_and_knows_which_are_flagged(flagged_N: Any, size: int, seed: int) -> None:
    drawn = plan(flagged_N, size, seed)
    assert len(drawn.index_S) == min(size, len(flagged_N)) == len(set(drawn.index_S.tolist()))
    np.testing.assert_array_equal(flagged_N[drawn.index_S], drawn.flagged_S)
    taken = allocation(size, int(flagged_N.sum()), len(flagged_N))
    assert (int(drawn.flagged_S.sum()), int((~drawn.flagged_S).sum())) == taken


@given(FLAGS, st.integers(0, 60), st.integers(0, 60), st.integers(0, 100))
def test_a_larger_plan_begins_with_the_smaller_one(flagged_N: Any, size: int, more: int, seed: int) -> None:
    smaller, larger = plan(flagged_N, size, seed), plan(flagged_N, size + more, seed)
    np.testing.assert_array_equal(larger.index_S[: len(smaller.index_S)], smaller.index_S)


def test_a_plan_is_the_same_each_time_and_another_with_another_seed() -> None:
    flagged_N = flags(100, 900)
    first, again, other = plan(flagged_N, 50, 3), plan(flagged_N, 50, 3), plan(flagged_N, 50, 4)
    np.testing.assert_array_equal(first.index_S, again.index_S)
    assert set(first.index_S.tolist()) != set(other.index_S.tolist())
    # Written down: a plan is stored nowhere, so a change of the order would lose reviews.
    assert plan(np.arange(20) % 4 == 0, 8, 0).index_S.tolist() == PINNED


PINNED = [2, 8, 10, 12, 17, 14, 16, 6]


@pytest.mark.parametrize(
    ("flagged", "others", "size", "expected"),
    [
        (100, 900, 200, (80, 120)),
        (500, 500, 200, (100, 100)),
        (900, 100, 150, (90, 60)),
        (10, 990, 200, (10, 190)),
        (0, 300, 200, (0, 200)),
        (300, 0, 200, (200, 0)),
        (30, 20, 200, (30, 20)),
        (990, 10, 200, (190, 10)),
    ],
)
def test_both_strata_get_enough_and_what_one_lacks_the_other_gives(
    flagged: int, others: int, size: int, expected: tuple[int, int]
) -> None:
    assert allocation(size, flagged, flagged + others) == expected


def test_another_run_of_the_dataset_finds_most_of_the_reviews_made() -> None:
    """Two runs flag different samples; their plans follow the same permutation."""
    rng = np.random.default_rng(0)
    first_N = rng.random(5000) < 0.1
    second_N = first_N ^ (rng.random(5000) < 0.02)
    shared = set(plan(first_N, 200, 0).index_S.tolist()) & set(plan(second_N, 200, 0).index_S.tolist())
    assert len(shared) > 100


def test_every_sample_of_a_stratum_is_drawn_equally_often() -> None:
    flagged_N = flags(30, 70)
    drawn_N = np.zeros(100)
    for seed in range(2000):
        drawn_N[plan(flagged_N, 25, seed).index_S] += 1
    for member_N, share in ((flagged_N, 10 / 30), (~flagged_N, 15 / 70)):
        np.testing.assert_allclose(drawn_N[member_N] / 2000, share, atol=0.06)


def test_the_estimate_is_unbiased() -> None:
    rng = np.random.default_rng(1)
    flagged_N = flags(60, 340)
    wrong_N = np.where(flagged_N, rng.random(400) < 0.8, rng.random(400) < 0.05)
    rates = []
    for seed in range(1000):
        drawn = plan(flagged_N, 25, seed)
        seen = tallies(drawn, flagged_N, np.zeros(400, dtype=int), review(drawn, wrong_N))
        rates.append(sum(each.samples * (each.rate or 0.0) for each in seen) / 400)
    error = np.std(rates) / np.sqrt(len(rates))
    assert np.mean(rates) == pytest.approx(wrong_N.mean(), abs=3.5 * error)


@pytest.mark.parametrize("precision", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("missed", [0.0, 0.05])
@pytest.mark.parametrize("answered", [1.0, 0.85])
def test_intervals_hold_the_truth_whether_or_not_the_reviewer_is_always_sure(
    precision: float, missed: float, answered: float
) -> None:
    """Whole reviews, from plan to findings. The sure and the unsure differ: wrong labels are left open more often."""
    rng = np.random.default_rng(2)
    flagged_N = flags(80, 720)
    misses = {"noise_rate": 0, "flag_precision": 0, "missed": 0}
    reviews = 20
    for seed in range(reviews):
        wrong_N = np.where(flagged_N, rng.random(800) < precision, rng.random(800) < missed)
        drawn = plan(flagged_N, 50, seed)
        standing: dict[int, tuple[str, None]] = review(drawn, wrong_N)
        for index in standing:
            if rng.random() > answered and wrong_N[index]:
                standing[index] = ("unsure", None)
        truth = {
            "noise_rate": wrong_N.mean(),
            "flag_precision": wrong_N[flagged_N].mean(),
            "missed": wrong_N[~flagged_N].mean(),
        }
        for name, estimate in found(flagged_N, drawn, standing)._asdict().items():
            if name in truth and estimate is not None:
                misses[name] += not estimate.low - 1e-12 <= truth[name] <= estimate.high + 1e-12
    # Five in a hundred, and what so few reviews may add to them once in a thousand.
    assert max(misses.values()) <= 5, misses


def test_decisions_made_elsewhere_do_not_bend_the_estimate() -> None:
    """Somebody went through the most suspect half of the flags, all wrong; the other half is right."""
    flagged_N = flags(400, 1600)
    most_suspect_N = np.zeros(2000, dtype=bool)
    most_suspect_N[np.flatnonzero(flagged_N)[:200]] = True
    gallery = {int(index): ("remove", None) for index in np.flatnonzero(most_suspect_N)}
    misses = naive = 0
    for seed in range(40):
        drawn = plan(flagged_N, 100, seed)
        standing = {**gallery, **review(drawn, most_suspect_N, 30)}
        seen = tallies(drawn, flagged_N, np.zeros(2000, dtype=int), standing)
        precision = findings(seen).flag_precision
        assert precision is not None
        misses += not precision.low <= 0.5 <= precision.high
        of_flagged = [standing[int(i)][0] for i in drawn.index_S[drawn.flagged_S] if int(i) in standing]
        naive += of_flagged.count("remove") / len(of_flagged) > 0.65
        assert seen[0].reviewed > seen[0].counted
    assert misses <= 5
    assert naive > 30, "this way of reviewing would not have fooled anybody"


def test_a_skipped_sample_counts_both_ways_and_many_end_the_counting() -> None:
    flagged_N = flags(200, 200)
    drawn = plan(flagged_N, 100, 0)
    flagged_order = drawn.index_S[drawn.flagged_S]
    standing = review(drawn, np.zeros(400, dtype=bool))
    whole = found(flagged_N, drawn, standing)
    del standing[int(flagged_order[30])]
    seen = tallies(drawn, flagged_N, np.zeros(400, dtype=int), standing)
    assert (seen[0].counted, seen[0].skipped, seen[0].reviewed) == (50, 1, 49)
    one_open = findings(seen)
    assert whole.flag_precision is not None
    assert one_open.flag_precision is not None
    assert one_open.flag_precision.low == whole.flag_precision.low == 0
    assert one_open.flag_precision.high > whole.flag_precision.high
    for index in flagged_order[31:40]:
        del standing[int(index)]
    seen = tallies(drawn, flagged_N, np.zeros(400, dtype=int), standing)
    assert (seen[0].counted, seen[0].skipped, seen[0].reviewed) == (30, 0, 40)
    assert remaining(drawn, standing) == [int(i) for i in drawn.index_S if int(i) not in standing]


def test_verdicts_mean_what_they_say() -> None:
    flagged_N = np.ones(6, dtype=bool)
    drawn = plan(flagged_N, 6, 0)
    answers: list[tuple[str, int | None]] = [
        ("keep", None),
        ("relabel", 3),
        ("relabel", 2),
        ("remove", None),
        ("unsure", None),
        ("cleared", None),
    ]
    standing = {int(index): answer for index, answer in zip(drawn.index_S, answers, strict=True)}
    flagged, _ = tallies(drawn, flagged_N, np.full(6, 2), standing)
    # Relabelled with the label it has: right. The cleared one is open, and lies beyond what counts.
    assert (flagged.reviewed, flagged.counted, flagged.wrong, flagged.unsure) == (5, 5, 2, 1)
    assert flagged.rate == 0.5
    assert remaining(drawn, standing) == [int(drawn.index_S[5])]


def test_decisions_outside_the_plan_do_not_count() -> None:
    flagged_N = flags(50, 50)
    drawn = plan(flagged_N, 20, 0)
    outside = {index: ("remove", None) for index in range(100) if index not in set(drawn.index_S.tolist())}
    assert found(flagged_N, drawn, outside) == Findings(None, None, None, None)


@pytest.mark.parametrize("flagged", [0, 40])
def test_without_or_with_nothing_but_flags_one_stratum_speaks_for_all(flagged: int) -> None:
    flagged_N = np.full(40, flagged > 0)
    drawn = plan(flagged_N, 10, 0)
    result = found(flagged_N, drawn, review(drawn, np.arange(40) % 2 == 0))
    assert result.noise_rate == (result.flag_precision if flagged else result.missed)
    assert (result.flag_precision is None) == (not flagged)
    assert (result.missed_count is None) == bool(flagged)


def test_a_dataset_reviewed_whole_leaves_no_doubt() -> None:
    flagged_N = flags(10, 40)
    wrong_N = np.arange(50) % 5 == 0
    drawn = plan(flagged_N, 200, 0)
    result = found(flagged_N, drawn, review(drawn, wrong_N))
    assert result.noise_rate is not None
    assert tuple(result.noise_rate) == pytest.approx((0.2, 0.2, 0.2))
    assert result.missed_count is not None
    assert tuple(result.missed_count) == pytest.approx([(wrong_N & ~flagged_N).sum()] * 3)


def test_an_empty_dataset_has_an_empty_plan() -> None:
    nothing = np.zeros(0, dtype=bool)
    assert found(nothing, plan(nothing, 200, 0), {}) == Findings(None, None, None, None)
