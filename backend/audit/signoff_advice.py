"""Whether enough has been reviewed, and what more reviewing would buy, in numbers and in words. Pure.

Forecasts assume that further samples answer as those so far did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from backend.audit.intervals import Seen, quick_limits
from backend.audit.signoff import Findings, Tally, allocation

NOISE_RATE_TARGET = 0.02
"""Enough: the noise rate is known to within two points either way …"""
PRECISION_TARGET = 0.10
"""… and the precision of the flags to within ten."""
STEP = 20
"""Sizes are proposed in such steps."""
HEAVY = 1 / 3
"""Open answers that make up so much of an interval's width are worth another look first."""
FEWEST_SEEN = 10
"""Before each stratum has so many clear answers, nothing can be said of what a larger plan would bring."""


class Advice(NamedTuple):
    """What to do next. `next_size` is a plan's size that the words name, None where they name none."""

    enough: bool
    words: str
    next_size: int | None


def advise(seen: Sequence[Tally], findings: Findings, size: int) -> Advice:
    """What the reviews so far, of a plan of this size, are worth."""
    samples = sum(each.samples for each in seen)
    size, left = min(size, samples), sum(each.drawn - each.reviewed for each in seen)
    rate = findings.noise_rate
    if samples == 0:
        return Advice(False, "The run has no samples to review.", None)
    if rate is None:
        return Advice(False, _beginning(seen), None)
    if all(each.counted == each.samples and not each.open for each in seen):
        return Advice(True, "Every sample has been reviewed: these numbers are no longer estimates.", None)
    enough = _reached(rate.half, None if findings.flag_precision is None else findings.flag_precision.half)
    said = [_standing(findings, enough)]
    if enough:
        beyond = min(2 * max(size, STEP), samples)
        gain = forecast(seen, beyond)[0]
        if beyond > size and gain < rate.half:
            said.append(
                f"Reviewing {beyond:,} samples would bring the noise rate's to about {_points(gain)}."
            )
        return Advice(True, " ".join([*said, *_open_answers(seen, rate.half)]), None)
    known = all(each.counted - each.open >= min(FEWEST_SEEN, each.samples) for each in seen)
    wanted = sufficient_size(seen) if known else size
    if left:
        finished = forecast(seen, size)
        said.append(
            f"Finishing the plan ({left:,} left) would bring the noise rate's to about {_points(finished[0])}"
            + (f" and the precision's to about {_points(finished[1])}." if finished[1] is not None else ".")
        )
    if wanted is None:
        said.append("More samples alone will not be enough while so many answers are open.")
    elif wanted > size:
        more = wanted - size
        said.append(
            f"{'After that another' if left else 'Another'} {more:,} samples ({wanted:,} in all) would bring "
            f"the interval of {_goals(seen, wanted)}."
        )
    grown = wanted if wanted is not None and wanted > size else None
    return Advice(False, " ".join([*said, *_open_answers(seen, rate.half)]), grown)


def forecast(seen: Sequence[Tally], size: int) -> tuple[float, float | None]:
    """Expected half-widths of the intervals of the noise rate and of the flags' precision in a plan of this size."""
    flagged, unflagged = seen
    total = flagged.samples + unflagged.samples
    drawn = allocation(size, flagged.samples, total)
    expected = [
        _expected(each, max(count, 1)) for each, count in zip(seen, drawn, strict=True) if each.samples
    ]
    precision = _half(expected[:1], flagged.samples) if flagged.samples else None
    return _half(expected, total), precision


def sufficient_size(seen: Sequence[Tally]) -> int | None:
    """The smallest plan, in whole steps, that is expected to be enough; None when not even all samples are."""
    total = sum(each.samples for each in seen)
    fails, suffices = 0, -(-total // STEP)
    if not _reached(*forecast(seen, total)):
        return None
    while suffices - fails > 1:
        middle = (fails + suffices) // 2
        if _reached(*forecast(seen, middle * STEP)):
            suffices = middle
        else:
            fails = middle
    return min(suffices * STEP, total)


def _expected(each: Tally, drawn: int) -> tuple[Seen, Seen]:
    """What a sample of this size would show if open answers counted as right, and if they counted as wrong."""
    drawn = min(drawn, each.samples)
    unclear = each.open / each.counted if each.counted else 0.0
    # Half a label on either side: the first few answers do not make a rate of 0 or 1.
    wrong = (each.wrong + 0.5) / (each.counted - each.open + 1) * (1 - unclear)
    return (
        Seen(each.samples, drawn, round(wrong * drawn)),
        Seen(each.samples, drawn, min(drawn, round((wrong + unclear) * drawn))),
    )


def _half(expected: Sequence[tuple[Seen, Seen]], samples: int) -> float:
    low, _ = quick_limits([least for least, _ in expected])
    _, high = quick_limits([most for _, most in expected])
    return (high - low) / 2 / samples


def _reached(noise_rate: float, precision: float | None) -> bool:
    return noise_rate <= NOISE_RATE_TARGET and (precision is None or precision <= PRECISION_TARGET)


def _beginning(seen: Sequence[Tally]) -> str:
    flagged, unflagged = seen
    parts = [
        f"{each.drawn:,} of the {each.samples:,} {name}"
        for each, name in ((flagged, "flagged"), (unflagged, "others"))
        if each.samples
    ]
    begun = any(each.reviewed for each in seen)
    lacking = next((each.name for each in seen if each.samples and each.rate is None), "")
    words = f"The plan draws {' and '.join(parts)} at random. "
    if not begun:
        return words + "Review them in this order; the estimates begin with the first few."
    return words + f"Go on in this order: there is no clear answer on the {lacking} samples of it yet."


def _standing(findings: Findings, enough: bool) -> str:
    rate, precision = findings.noise_rate, findings.flag_precision
    assert rate is not None
    known = f"The noise rate is known to {_points(rate.half)}"
    if precision is not None:
        known += f", the precision of the flags to {_points(precision.half)}"
    return f"Enough: {known[0].lower()}{known[1:]}." if enough else f"{known}."


def _goals(seen: Sequence[Tally], size: int) -> str:
    rate, precision = forecast(seen, size)
    words = f"the noise rate to about {_points(rate)}"
    return words if precision is None else f"{words} and that of the precision to about {_points(precision)}"


def _open_answers(seen: Sequence[Tally], half: float) -> list[str]:
    """A sentence for what counts both ways, where it matters, and for decisions made out of order."""
    samples = sum(each.samples for each in seen)
    width = sum(each.samples * each.open / each.counted for each in seen if each.counted) / samples
    sentences = []
    if width >= HEAVY * 2 * half > 0:
        count = sum(each.open for each in seen)
        sentences.append(
            f"{count} open {'answer widens' if count == 1 else 'answers widen'} the interval "
            f"by {100 * width:.1f} points: settle them first."
        )
    beyond = sum(each.reviewed - (each.counted - each.skipped) for each in seen)
    if beyond:
        sentences.append(
            f"{beyond:,} further decisions count once the samples before them in the plan are decided."
        )
    return sentences


def _points(half: float) -> str:
    """Half a width as people say it."""
    points = 100 * half
    return f"±{points:.1f} points" if points < 9.95 else f"±{points:.0f} points"
