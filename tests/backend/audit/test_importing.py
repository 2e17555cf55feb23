"""What a row of a table of decisions says, in the words that people use."""

from __future__ import annotations

import pytest

from backend.audit.importing import Item, Wrong, decided, new_among

CLASSES = {"cat": 0, "dog": 1, "=fox": 2}


@pytest.mark.parametrize(
    ("verdict", "label", "expected"),
    [
        ("keep", "", Item(7, "keep", None)),
        (" Removed ", "dog", Item(7, "remove", None)),
        ("relabel", "dog", Item(7, "relabel", 1)),
        (None, "dog", Item(7, "relabel", 1)),
        (None, "cat", Item(7, "keep", None)),
        (None, "", None),
        ("", "dog", None),
        ("relabel", "cat", Item(7, "keep", None)),
        ("relabel", "'=fox", Item(7, "relabel", 2)),
        ("?", "", Item(7, "unsure", None)),
        ("", "", None),
        ("maybe", "", "VERDICT_UNKNOWN"),
        ("relabel", "", "LABEL_MISSING"),
        ("relabel", "wolf", "LABEL_UNKNOWN"),
    ],
)
def test_a_row_says_a_decision_nothing_or_what_is_wrong(
    verdict: str | None, label: str, expected: Item | str | None
) -> None:
    said = decided(7, "line 9", verdict, label, 0, CLASSES)
    if isinstance(expected, str):
        assert isinstance(said, Wrong)
        assert (said.where, said.code) == ("line 9", expected)
    else:
        assert said == expected


def test_what_stands_already_is_not_new() -> None:
    items = [Item(0, "keep", None), Item(1, "relabel", 1), Item(2, "remove", None), Item(3, "cleared", None)]
    standing = {0: ("keep", None), 1: ("relabel", 2)}
    assert new_among(items, standing) == items[1:3]
