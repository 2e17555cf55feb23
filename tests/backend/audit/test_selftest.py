"""The sentences about a self-test say its numbers, and what they are worth."""

from __future__ import annotations

import pytest

from backend.audit.selftest import SelfTestNumbers, count_found, words

NUMBERS = SelfTestNumbers("symmetric", 1797, 180, 180, 168, 0.973, 0.118, truth_known=False)


def test_found_flags_and_false_alarms_are_counted_in_words() -> None:
    said = words(NUMBERS)
    assert said[0] == "Of 180 planted wrong labels it flagged 168 (93 %)."
    assert said[1] == "12 of its 180 flags were not planted: some of these may be real errors of your data."
    assert "97 % of all pairs" in said[2]
    assert said[3].startswith("It estimated that 12 % of the labels are wrong; 10 % were planted, to which")
    assert NUMBERS.recall == pytest.approx(168 / 180)
    assert NUMBERS.precision == pytest.approx(168 / 180)


def test_the_caveats_are_always_there() -> None:
    said = " ".join(words(NUMBERS))
    assert "easier than human noise" in said
    assert "count as false alarms here" in said


def test_with_known_true_labels_nothing_is_blamed_on_the_data() -> None:
    said = " ".join(words(NUMBERS._replace(truth_known=True)))
    assert "your data" not in said
    assert "false alarms." in said


def test_nothing_planted_nothing_flagged_and_all_planted_are_said_so() -> None:
    assert words(NUMBERS._replace(planted=0)) == [
        "No label came out wrong: the rate is too small for so few samples. Plant more."
    ]
    none = words(NUMBERS._replace(flagged=0, found=0))
    assert none[0].startswith("It flagged none of the 180 planted wrong labels, and nothing else")
    assert NUMBERS._replace(flagged=0, found=0).precision is None
    assert "All of its 168 flags were planted." in words(NUMBERS._replace(flagged=168))


def test_what_is_nearly_all_or_nearly_nothing_is_not_said_to_be_all_or_nothing() -> None:
    said = words(SelfTestNumbers("instance", 100_000, 10_000, 10_000, 9_999, 0.9999, 0.1, truth_known=True))
    assert "(99.9 %)" in said[0]
    assert "99.9 % of all pairs" in said[2]


def test_the_count_found_comes_back_from_the_runs_precision() -> None:
    for found in range(0, 181, 7):
        assert count_found(180, found / 180) == found
    assert count_found(0, None) == 0
