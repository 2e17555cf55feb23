"""Sign-off: which samples to review for a judgement of the whole dataset, and what the reviews say of it. Pure.

A plan is a stratified random sample: of what the run flagged, and of what it did not. Its order is one random
permutation of the sample indices, the same for every run of the dataset, so that a larger plan goes on where a
smaller one ended and reviews made for one run serve the next.

Shape letters: N samples, S samples of a plan in review order, M samples of a stratum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.audit.cleaning import Standing
from backend.audit.intervals import Seen, fewest_wrong, most_wrong

Stratum = Literal["flagged", "unflagged"]
STRATA: tuple[Stratum, ...] = ("flagged", "unflagged")
FEWEST_FLAGGED, MOST_FLAGGED = 0.4, 0.6
"""Share of a plan that is flagged: the dataset's own, kept within these, so that both strata get enough."""
LARGEST = 5000
"""Samples of a plan: as many as a few people review, and as the exact intervals are quick for."""
SKIPPED = 0.05
"""So large a share of the reviewed part of a stratum may be left out without an answer."""
STREAM = int.from_bytes(b"sign-off")

RIGHT, WRONG, UNSURE, UNDECIDED = 0, 1, 2, 3


class Plan(NamedTuple):
    """Samples to review, in order."""

    index_S: NDArray[np.int64]
    flagged_S: NDArray[np.bool_]


class Tally(NamedTuple):
    """What the decisions say about one stratum of a plan."""

    name: Stratum
    samples: int
    """Of the run."""
    drawn: int
    """Of the plan."""
    reviewed: int
    """Of the drawn: those with a decision."""
    counted: int
    """The estimates rest on so many, the first of the stratum: an unbroken part of its random order."""
    wrong: int
    """Of the counted."""
    unsure: int
    """Of the counted: those about which the reviewer could not say."""
    skipped: int
    """Of the counted: those without a decision."""

    @property
    def open(self) -> int:
        """Counted both as right and as wrong."""
        return self.unsure + self.skipped

    @property
    def rate(self) -> float | None:
        """Share of wrong labels among those that got a clear answer; None where none did."""
        clear = self.counted - self.open
        return self.wrong / clear if clear else None


class Estimate(NamedTuple):
    """A share in [0, 1], or a count, with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half the interval's width."""
        return (self.high - self.low) / 2


class Findings(NamedTuple):
    """What the reviews say; None where they say nothing yet, or where there is nothing to speak of."""

    noise_rate: Estimate | None
    flag_precision: Estimate | None
    """Share of wrong labels among the flagged."""
    missed: Estimate | None
    """Share of wrong labels among the unflagged."""
    missed_count: Estimate | None


def plan(flagged_N: NDArray[Any], size: int, seed: int) -> Plan:
    """The first `size` samples of the review order (all, where there are fewer); the same for the same arguments."""
    flagged_N = np.asarray(flagged_N, dtype=bool)
    total = len(flagged_N)
    taken_S = _flagged_among(np.arange(max(0, min(size, total)) + 1), int(flagged_N.sum()), total)
    is_flagged_S = np.diff(taken_S) > 0
    # The bit generator's own stream, which numpy keeps the same from version to version; under a name of its
    # own, since noise planted with the same seed would otherwise draw the same numbers.
    key_N = np.random.PCG64([seed, STREAM]).random_raw(total)
    index_S = np.empty(len(is_flagged_S), dtype=np.int64)
    for of_S, member_N in ((is_flagged_S, flagged_N), (~is_flagged_S, ~flagged_N)):
        index_S[of_S] = _first(np.flatnonzero(member_N), key_N, int(of_S.sum()))
    return Plan(index_S, is_flagged_S)


def allocation(size: int, flagged: int, total: int) -> tuple[int, int]:
    """How many flagged and how many other samples a plan of this size draws."""
    size = max(0, min(size, total))
    taken = int(_flagged_among(np.asarray(size), flagged, total))
    return taken, size - taken


def tallies(
    drawn: Plan, flagged_N: NDArray[Any], given_N: NDArray[Any], standing: Standing
) -> tuple[Tally, Tally]:
    """Per stratum, flagged first, what the standing decisions on samples of the plan say."""
    answer_N = np.full(len(given_N), UNDECIDED)
    for index, decision in standing.items():
        answer_N[index] = _answer(decision, given_N[index])
    answer_S = answer_N[drawn.index_S]
    flagged = int(np.asarray(flagged_N, dtype=bool).sum())
    return (
        _tally("flagged", flagged, answer_S[drawn.flagged_S]),
        _tally("unflagged", len(flagged_N) - flagged, answer_S[~drawn.flagged_S]),
    )


def findings(seen: Sequence[Tally]) -> Findings:
    """Estimates with intervals that hold the truth in at least 95 of 100 reviews, from both strata's tallies.

    A wrong label of a stratum counts as often as the stratum is larger than its counted sample. What is
    open lowers the lower limit and raises the upper one as if each were right, and each wrong.
    """
    flagged, unflagged = seen
    missed, others = _share([unflagged]), unflagged.samples
    return Findings(
        noise_rate=_share(seen),
        flag_precision=_share([flagged]),
        missed=missed,
        missed_count=None
        if missed is None
        else Estimate(missed.value * others, round(missed.low * others), round(missed.high * others)),
    )


def remaining(drawn: Plan, standing: Standing) -> list[int]:
    """The plan's samples that still want a decision, in review order."""
    return [int(index) for index in drawn.index_S if _is_open(standing.get(int(index)))]


def _flagged_among(first_S: NDArray[np.int64], flagged: int, total: int) -> NDArray[np.int64]:
    """How many of the first so many samples of the review order are flagged; rises by none or one at a time."""
    share = min(max(flagged / max(total, 1), FEWEST_FLAGGED), MOST_FLAGGED)
    taken_S = np.floor(share * first_S + 0.5).astype(np.int64)
    # Where one stratum is used up, the other one fills the rest.
    clipped_S: NDArray[np.int64] = np.clip(taken_S, first_S - (total - flagged), flagged)
    return clipped_S


def _first(member_M: NDArray[np.int64], key_N: NDArray[np.uint64], wanted: int) -> NDArray[np.int64]:
    """The members with the smallest keys, in their order."""
    key_M = key_N[member_M]
    if wanted < len(member_M):
        nearest = np.argpartition(key_M, wanted)[:wanted] if wanted else np.arange(0)
        member_M, key_M = member_M[nearest], key_M[nearest]
    return member_M[np.lexsort((member_M, key_M))]


def _is_open(decision: Sequence[Any] | None) -> bool:
    return decision is None or decision[0] == "cleared"


def _answer(decision: Sequence[Any], given: int) -> int:
    """What a decision says about the given label."""
    if _is_open(decision):
        return UNDECIDED
    verdict, label, *_ = decision
    if verdict == "unsure":
        return UNSURE
    # Relabelled with the label it has: kept by another key.
    return RIGHT if verdict == "keep" or (verdict == "relabel" and label == given) else WRONG


def _tally(name: Stratum, samples: int, answer_M: NDArray[np.int64]) -> Tally:
    decided_M = answer_M != UNDECIDED
    # Samples decided elsewhere were chosen (the most suspect, say): alone they would not be a random sample.
    # So the order counts as far as hardly any of it is missing, and what is missing counts both ways.
    left_out_M = np.cumsum(~decided_M)
    reached = np.flatnonzero((left_out_M <= SKIPPED * np.arange(1, len(answer_M) + 1)) & decided_M)
    counted_M = answer_M[: reached[-1] + 1] if len(reached) else answer_M[:0]
    return Tally(
        name=name,
        samples=samples,
        drawn=len(answer_M),
        reviewed=int(decided_M.sum()),
        counted=len(counted_M),
        wrong=int((counted_M == WRONG).sum()),
        unsure=int((counted_M == UNSURE).sum()),
        skipped=int((counted_M == UNDECIDED).sum()),
    )


def _share(seen: Sequence[Tally]) -> Estimate | None:
    """Share of wrong labels in the strata together; None before each has had a clear answer."""
    seen = [each for each in seen if each.samples]
    samples = sum(each.samples for each in seen)
    rates = [each.rate for each in seen]
    if not samples or any(rate is None for rate in rates):
        return None
    value = sum(each.samples * (rate or 0.0) for each, rate in zip(seen, rates, strict=True)) / samples
    low = fewest_wrong([Seen(each.samples, each.counted, each.wrong) for each in seen])
    high = most_wrong([Seen(each.samples, each.counted, each.wrong + each.open) for each in seen])
    return Estimate(value, min(low / samples, value), max(high / samples, value))
