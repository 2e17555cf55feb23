"""What a self-test's numbers mean, in sentences: noise was planted, and a run looked for it. Pure."""

from __future__ import annotations

from typing import NamedTuple

KIND_CAVEATS = {
    "symmetric": "were drawn at random",
    "symmetric-exclusive": "were drawn at random",
    "class-conditional": "follow one simple rule",
    "instance": "follow the pixels alone",
}
"""By kind of planted noise: how it differs from what people get wrong."""


class SelfTestNumbers(NamedTuple):
    """A finished self-test."""

    kind: str
    samples: int
    planted: int
    """Samples whose label was made wrong."""
    flagged: int
    found: int
    """Planted ones among the flagged."""
    auroc: float | None
    noise_rate: float | None
    truth_known: bool
    """Whether the dataset had true labels, so that nothing but the planted noise is wrong in it."""

    @property
    def precision(self) -> float | None:
        """Share of planted among the flagged; None where nothing is flagged."""
        return self.found / self.flagged if self.flagged else None

    @property
    def recall(self) -> float | None:
        """Share of flagged among the planted; None where nothing was planted."""
        return self.found / self.planted if self.planted else None


def count_found(flagged: int, precision: float | None) -> int:
    """Planted ones among the flagged, from the run's own metrics."""
    return round(flagged * (precision or 0.0))


def words(numbers: SelfTestNumbers) -> list[str]:
    """What the self-test says for this data, and what it does not."""
    planted, flagged, found = numbers.planted, numbers.flagged, numbers.found
    if not planted:
        return ["No label came out wrong: the rate is too small for so few samples. Plant more."]
    sentences = [
        f"Of {planted:,} planted wrong {_labels(planted)} it flagged {found:,} ({_percent(found / planted)})."
    ]
    own = not numbers.truth_known
    if not flagged:
        sentences = [
            f"It flagged none of the {planted:,} planted wrong {_labels(planted)}, and nothing else: with this "
            "recipe, noise like this is not seen on this data."
        ]
    elif found == flagged:
        sentences.append(f"All of its {flagged:,} flags were planted." if flagged > 1 else "It was planted.")
    else:
        was = "was" if flagged - found == 1 else "were"
        some = ": some of these may be real errors of your data." if own else ": false alarms."
        sentences.append(f"{flagged - found:,} of its {flagged:,} flags {was} not planted{some}")
    if numbers.auroc is not None:
        sentences.append(
            f"It ranks a planted wrong label above another one in {_percent(numbers.auroc)} of all pairs "
            "(50 % would be chance)."
        )
    if numbers.noise_rate is not None:
        beside = ", to which the data's own errors add" if own else ""
        sentences.append(
            f"It estimated that {_percent(numbers.noise_rate)} of the labels are wrong; "
            f"{_percent(planted / numbers.samples)} were planted{beside}."
        )
    how = KIND_CAVEATS.get(numbers.kind, "were made up")
    sentences.append(
        f"Planted noise is easier than human noise: people mistake what looks alike, the planted labels {how}. "
        "Expect fewer of your real errors to be found."
    )
    if own:
        sentences.append("Wrong labels that the data had before count as false alarms here.")
    return sentences


def _labels(count: int) -> str:
    return "label" if count == 1 else "labels"


def _percent(share: float) -> str:
    """A share as people say it: never 0 % or 100 % for what is only nearly so."""
    percent = 100 * share
    if 0 < percent < 9.95 or 99 < percent < 100:
        return f"{min(max(percent, 0.1), 99.9):.1f} %"
    return f"{percent:.0f} %"
