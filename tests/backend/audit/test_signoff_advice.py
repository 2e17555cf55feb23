"""The advice says when enough is enough, and its forecasts come true."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from backend.audit.signoff import findings, plan, tallies
from backend.audit.signoff_advice import (
    NOISE_RATE_TARGET,
    PRECISION_TARGET,
    Advice,
    advise,
    forecast,
    sufficient_size,
)

FLAGGED, SAMPLES = 500, 5000


def reviewed(
    size: int, done: int, precision: float = 0.8, missed: float = 0.01, unsure: float = 0.0, seed: int = 0
) -> tuple[Any, Any, Advice]:
    """A review of the first `done` samples of a plan, with a reviewer who is unsure of some."""
    rng = np.random.default_rng(seed)
    flagged_N = np.arange(SAMPLES) < FLAGGED
    wrong_N = np.where(flagged_N, rng.random(SAMPLES) < precision, rng.random(SAMPLES) < missed)
    drawn = plan(flagged_N, size, seed)
    standing = {
        int(index): ("unsure" if rng.random() < unsure else "remove" if wrong_N[index] else "keep", None)
        for index in drawn.index_S[:done]
    }
    seen = tallies(drawn, flagged_N, np.zeros(SAMPLES, dtype=int), standing)
    said = findings(seen)
    return seen, said, advise(seen, said, size)


def test_before_the_first_review_it_says_what_to_review() -> None:
    _, said, advice = reviewed(200, 0)
    assert said.noise_rate is None
    assert not advice.enough
    assert "80 of the 500 flagged and 120 of the 4,500 others" in advice.words


def test_a_review_of_one_stratum_alone_says_what_is_missing() -> None:
    flagged_N = np.arange(SAMPLES) < FLAGGED
    drawn = plan(flagged_N, 100, 0)
    standing = {int(index): ("keep", None) for index in drawn.index_S[drawn.flagged_S]}
    seen = tallies(drawn, flagged_N, np.zeros(SAMPLES, dtype=int), standing)
    advice = advise(seen, findings(seen), 100)
    assert not advice.enough
    assert "no clear answer on the unflagged" in advice.words


def test_a_plan_too_small_names_the_size_that_would_do_and_it_does() -> None:
    seen, said, advice = reviewed(100, 100)
    assert not advice.enough
    assert advice.next_size is not None
    assert advice.next_size > 100
    assert f"({advice.next_size:,} in all)" in advice.words
    # About: the forecast assumes the same answers, and what comes is another draw.
    _, later, _ = reviewed(advice.next_size, advice.next_size)
    assert later.noise_rate.half < said.noise_rate.half
    assert later.noise_rate.half == pytest.approx(forecast(seen, advice.next_size)[0], rel=0.35)


def test_half_a_plan_says_what_the_other_half_brings() -> None:
    seen, _, advice = reviewed(200, 100)
    half, precision = forecast(seen, 200)
    assert precision is not None
    assert f"(100 left) would bring the noise rate's to about ±{100 * half:.1f} points" in advice.words
    _, finished, _ = reviewed(200, 200)
    assert finished.noise_rate.half == pytest.approx(half, rel=0.35)
    assert finished.flag_precision.half == pytest.approx(precision, rel=0.35)


def test_enough_is_when_both_targets_are_met() -> None:
    for size in (60, 200, 400, 800):
        _, said, advice = reviewed(size, size)
        met = said.noise_rate.half <= NOISE_RATE_TARGET and said.flag_precision.half <= PRECISION_TARGET
        assert advice.enough == met
        assert advice.words.startswith("Enough: ") == met
    assert advice.enough


def test_open_answers_are_named_where_they_are_what_widens_the_interval() -> None:
    _, _, advice = reviewed(400, 400, unsure=0.15)
    assert not advice.enough
    assert re.search(r"\d+ open answers widen the interval by 1[0-9]\.\d points", advice.words)
    assert "More samples alone will not be enough" in advice.words
    assert advice.next_size is None


def test_the_sufficient_size_is_the_smallest_step_that_suffices() -> None:
    seen, _, _ = reviewed(200, 200)
    size = sufficient_size(seen)
    assert size is not None
    assert size % 20 == 0
    assert forecast(seen, size)[0] <= NOISE_RATE_TARGET
    assert forecast(seen, size - 20)[0] > NOISE_RATE_TARGET


def test_nothing_to_review_and_nothing_left_to_review_are_said() -> None:
    nothing = np.zeros(0, dtype=bool)
    empty = tallies(plan(nothing, 200, 0), nothing, nothing, {})
    assert "no samples" in advise(empty, findings(empty), 200).words
    flagged_N = np.arange(30) < 10
    drawn = plan(flagged_N, 200, 0)
    whole = tallies(drawn, flagged_N, np.zeros(30), {int(index): ("keep", None) for index in drawn.index_S})
    advice = advise(whole, findings(whole), 200)
    assert advice.enough
    assert "Every sample has been reviewed" in advice.words


def test_decisions_out_of_order_are_explained() -> None:
    flagged_N = np.arange(SAMPLES) < FLAGGED
    drawn = plan(flagged_N, 200, 0)
    late = [*drawn.index_S[:40], *drawn.index_S[120:]]
    seen = tallies(drawn, flagged_N, np.zeros(SAMPLES), {int(index): ("keep", None) for index in late})
    assert (
        "80 further decisions count once the samples before them" in advise(seen, findings(seen), 200).words
    )
