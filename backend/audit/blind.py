"""Blind double review: what several reviewers' independent answers come to, sample by sample. Pure.

Two reviewers decide without seeing each other. Where they say the same, that stands; where they do not, somebody
who is neither adjudicates; where only one has spoken, the sample waits. What waits is not decided.
Shape letters: D answers (each reviewer's own newest of each sample), J adjudications, S samples of which either is known.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from backend.audit.agreement import Answer

ReviewStatus = Literal["once", "agreed", "disagree", "adjudicated"]
"""once: one reviewer decided, a second is waited for · agreed: all who decided said the same · disagree: they did not,
and nobody has adjudicated · adjudicated: somebody has, which counts whatever reviewers say afterwards."""
STATUSES: tuple[ReviewStatus, ...] = get_args(ReviewStatus)
REVIEWERS = 2
"""So many have to say the same."""
WITHOUT_LABEL = ("keep", "remove", "unsure")
"""Verdicts by their code; relabel to class c has the code len(WITHOUT_LABEL) + c."""
WAITS = -1
"""The code of no answer."""

_ONCE, _AGREED, _DISAGREE, _ADJUDICATED = range(len(STATUSES))


class Settled(NamedTuple):
    """What the answers come to, by rising sample index."""

    index_S: NDArray[np.int64]
    status_S: NDArray[np.uint8]
    """Index into STATUSES."""
    code_S: NDArray[np.int64]
    """Of the answer that stands, or WAITS."""


def answer_of(code: int) -> Answer:
    """The verdict and label that a code stands for. Raises ValueError for WAITS."""
    if code < 0:
        raise ValueError("no answer stands")
    beyond = code - len(WITHOUT_LABEL)
    return ("relabel", beyond) if beyond >= 0 else (WITHOUT_LABEL[code], None)


def settle(
    index_D: NDArray[Any], code_D: NDArray[Any], judged_index_J: NDArray[Any], judged_code_J: NDArray[Any]
) -> Settled:
    """Every sample's status and the answer that stands.

    A reviewer's answer is given once per sample, and so is an adjudication; what was taken back is left out.
    """
    index_S = np.union1d(index_D, judged_index_J).astype(np.int64)
    place_D = np.searchsorted(index_S, index_D)
    answers_S = np.bincount(place_D, minlength=len(index_S))
    least_S = np.full(len(index_S), np.iinfo(np.int64).max)
    most_S = np.full(len(index_S), WAITS, dtype=np.int64)
    np.minimum.at(least_S, place_D, code_D)
    np.maximum.at(most_S, place_D, code_D)
    enough_S = answers_S >= REVIEWERS
    same_S = enough_S & (least_S == most_S)
    status_S = np.where(same_S, _AGREED, np.where(enough_S, _DISAGREE, _ONCE)).astype(np.uint8)
    code_S = np.where(same_S, most_S, WAITS)
    place_J = np.searchsorted(index_S, judged_index_J)
    status_S[place_J] = _ADJUDICATED
    code_S[place_J] = judged_code_J
    return Settled(index_S, status_S, code_S)


def count_statuses(settled: Settled) -> dict[ReviewStatus, int]:
    """How many samples have each status; all four are named."""
    found = np.bincount(settled.status_S, minlength=len(STATUSES))
    return {status: int(found[number]) for number, status in enumerate(STATUSES)}
