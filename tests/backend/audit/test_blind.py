"""What reviewers' independent answers come to: by example, and against a slow reading of the rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.blind import STATUSES, WAITS, Settled, answer_of, count_statuses, settle

KEEP, REMOVE, TO_CLASS_0, TO_CLASS_1 = 0, 1, 3, 4

Answers = dict[tuple[int, int], int]
"""(reviewer, sample index) → code."""


def _settled(answers: Answers, judged: dict[int, int]) -> Settled:
    index_D = np.array([index for _, index in answers], dtype=np.int64)
    return settle(
        index_D,
        np.array(list(answers.values()), dtype=np.int64),
        np.array(list(judged), dtype=np.int64),
        np.array(list(judged.values()), dtype=np.int64),
    )


def _by_hand(answers: Answers, judged: dict[int, int]) -> dict[int, tuple[str, int]]:
    found = {}
    for index in {index for _, index in answers} | judged.keys():
        said = [code for (_, other), code in answers.items() if other == index]
        if index in judged:
            found[index] = ("adjudicated", judged[index])
        elif len(said) == 1:
            found[index] = ("once", WAITS)
        else:
            found[index] = ("agreed", said[0]) if len(set(said)) == 1 else ("disagree", WAITS)
    return found


def test_two_who_say_the_same_are_enough_and_a_third_who_does_not_is_a_disagreement() -> None:
    answers = {(1, 5): KEEP, (2, 5): KEEP, (1, 6): TO_CLASS_0, (2, 6): TO_CLASS_1, (1, 7): REMOVE}
    answers |= {(1, 8): KEEP, (2, 8): KEEP, (3, 8): REMOVE, (1, 9): TO_CLASS_1, (2, 9): TO_CLASS_1}
    settled = _settled(answers, {6: TO_CLASS_1, 40: KEEP})
    assert settled.index_S.tolist() == [5, 6, 7, 8, 9, 40]
    said = [STATUSES[number] for number in settled.status_S]
    assert said == ["agreed", "adjudicated", "once", "disagree", "agreed", "adjudicated"]
    assert settled.code_S.tolist() == [KEEP, TO_CLASS_1, WAITS, WAITS, TO_CLASS_1, KEEP]
    assert count_statuses(settled) == {"once": 1, "agreed": 2, "disagree": 1, "adjudicated": 2}


def test_nothing_decided_is_nothing_settled() -> None:
    settled = _settled({}, {})
    assert len(settled.index_S) == 0
    assert count_statuses(settled) == dict.fromkeys(STATUSES, 0)


def test_a_code_is_a_verdict_with_its_label() -> None:
    assert [answer_of(code) for code in (0, 1, 2, 3, 12)] == [
        ("keep", None),
        ("remove", None),
        ("unsure", None),
        ("relabel", 0),
        ("relabel", 9),
    ]
    with pytest.raises(ValueError, match="no answer"):
        answer_of(WAITS)


@given(
    st.dictionaries(st.tuples(st.integers(1, 4), st.integers(0, 6)), st.integers(0, 4)),
    st.dictionaries(st.integers(0, 8), st.integers(0, 4)),
)
def test_any_answers_come_to_what_the_rule_says(answers: Answers, judged: dict[int, int]) -> None:
    settled = _settled(answers, judged)
    found = {int(index): (STATUSES[status], int(code)) for index, status, code in zip(*settled, strict=True)}
    assert found == _by_hand(answers, judged)
    assert settled.index_S.tolist() == sorted(found)
