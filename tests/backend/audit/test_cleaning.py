"""Decisions and a policy give cleaned labels; given labels stay as they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.audit.cleaning import (
    BECAUSE,
    POLICIES,
    REMOVED,
    Unreviewed,
    changed_indices,
    cleaned_labels,
    count_cleaning,
)

GIVEN_N = np.array([0, 0, 1, 1, 2, 2])
SUGGESTED_N = np.array([0, 1, 1, 0, 2, 0])
FLAGGED_N = np.array([False, True, False, True, False, True])


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("keep", [0, 0, 1, 1, 2, 2]), ("accept", [0, 1, 1, 0, 2, 0]), ("remove", [0, -1, 1, -1, 2, -1])],
)
def test_the_policy_speaks_for_flags_that_nobody_reviewed(policy: Unreviewed, expected: list[int]) -> None:
    assert cleaned_labels(GIVEN_N, SUGGESTED_N, FLAGGED_N, {}, policy).label_N.tolist() == expected


@pytest.mark.parametrize("policy", POLICIES)
def test_a_decision_wins_over_flag_and_policy(policy: Unreviewed) -> None:
    standing = {1: ("keep", None), 3: ("relabel", 2), 5: ("unsure", None), 0: ("remove", None)}
    cleaned = cleaned_labels(GIVEN_N, SUGGESTED_N, FLAGGED_N, standing, policy)
    assert cleaned.label_N.tolist() == [REMOVED, 0, 1, 2, 2, 2]
    assert [BECAUSE[code].split()[1] for code in cleaned.because_N] == [
        "removed" if index == 0 else word
        for index, word in enumerate(["", "kept", "flagged", "relabelled", "flagged", "was"])
    ]


def test_a_decision_taken_back_leaves_the_sample_to_the_policy() -> None:
    cleaned = cleaned_labels(GIVEN_N, SUGGESTED_N, FLAGGED_N, {1: ("cleared", None)}, "accept")
    assert cleaned.label_N[1] == 1
    assert "suggestion accepted" in BECAUSE[cleaned.because_N[1]]


def test_the_given_labels_are_never_written_to() -> None:
    given_N = GIVEN_N.copy()
    given_N.flags.writeable = False
    cleaned_labels(given_N, SUGGESTED_N, FLAGGED_N, {1: ("relabel", 2)}, "remove")
    assert given_N.tolist() == GIVEN_N.tolist()


@pytest.mark.parametrize("standing", [{6: ("keep", None)}, {-1: ("keep", None)}, {0: ("maybe", None)}])
def test_a_decision_that_cannot_be_is_refused(standing: dict[int, tuple[str, None]]) -> None:
    with pytest.raises(ValueError, match="no such decision"):
        cleaned_labels(GIVEN_N, SUGGESTED_N, FLAGGED_N, standing)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="keep, accept, remove"):
        cleaned_labels(GIVEN_N, SUGGESTED_N, FLAGGED_N, {}, "guess")  # type: ignore[arg-type]


verdicts = st.sampled_from(["keep", "relabel", "remove", "unsure", "cleared"])


@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=40),
    decided=st.dictionaries(st.integers(0, 39), verdicts, max_size=20),
    policy=st.sampled_from(POLICIES),
)
def test_the_counts_of_a_preview_always_add_up(
    rows: list[tuple[int, int, bool]], decided: dict[int, str], policy: Unreviewed
) -> None:
    given_N, suggested_N, flagged_N = (np.array(column) for column in zip(*rows, strict=True))
    standing = {
        index: (verdict, 3 if verdict == "relabel" else None)
        for index, verdict in decided.items()
        if index < len(rows)
    }
    cleaned = cleaned_labels(given_N, suggested_N, flagged_N, standing, policy)
    counts = count_cleaning(given_N, flagged_N, cleaned)
    assert counts.relabelled + counts.removed + counts.unchanged == counts.samples == len(rows)
    assert len(changed_indices(given_N, cleaned)) == counts.relabelled + counts.removed
    standing_verdicts = [verdict for verdict, _ in standing.values() if verdict != "cleared"]
    assert sum(counts.decided.values()) == len(standing_verdicts)
    undecided = [i for i in range(len(rows)) if standing.get(i, ("cleared",))[0] == "cleared"]
    assert counts.flagged_unreviewed == sum(bool(flagged_N[i]) for i in undecided)
