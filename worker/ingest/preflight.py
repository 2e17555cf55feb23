"""What an import would give, told before anything is kept; reads listings and labels wholly, images only in part."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backend.settings import Limits
from worker.ingest.decoding import Allowance, DecoderPool, Unreadable
from worker.ingest.source import Cancelled, Identity, Recognised, Refusal
from worker.ingest.writing import MESSAGES

SAMPLED = 96
"""So many images, spread over all of them, are decoded."""
HASHED_SECONDS = 10.0
"""So long images are compared by hash; a larger dataset is compared in part, and the report says so."""
EXAMPLES = 20
FEW = 5
"""A class with fewer samples than this is too small to say much about."""
_RARE = 20
"""A class this many times smaller than the largest is worth a word."""

Tell = Callable[[str, float], None]
"""Called with what is being done and the share done, [0, 1]."""


@dataclass(slots=True)
class _Duplicates:
    """Images whose bytes an earlier one has."""

    images: int = 0
    across_splits: int = 0
    different_labels: int = 0
    compared: int = 0
    complete: bool = True
    examples: list[dict[str, Any]] = field(default_factory=list)


def look(
    source: Recognised,
    limits: Limits,
    tell: Tell = lambda message, fraction: None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
    *,
    part: bool = False,
) -> dict[str, Any]:
    """The report: recognised, reason, total, ignored, splits {name: entries}, taken, classes, counts {split: {class:
    entries}}, columns {chosen, candidates} or None, annotators, readable {looked_at, unreadable}, unreadable [{item,
    code, message}] (at most 20), unreadable_count (known beforehand and seen in the sample), duplicates {images,
    across_splits, different_labels, compared, complete, examples}, warnings [{code, message}].

    Of a `part`, which is to be added to a dataset, the sizes of the classes say nothing, and no warning speaks of them.
    Raises BadInput for a damaged container, Cancelled once `should_stop()`.
    """
    tell("Trying some of the images", 0.2)
    unreadable = list(source.refusals)
    looked_at, broken = _sample(source, limits, should_stop)
    unreadable += broken
    tell("Comparing the images", 0.5)
    duplicates = _duplicates(source, should_stop, clock)
    report: dict[str, Any] = {
        "recognised": source.format,
        "reason": source.reason,
        "total": source.total,
        "ignored": source.ignored,
        "splits": source.splits,
        "taken": source.taken,
        "classes": source.classes,
        "counts": source.counts,
        "columns": None
        if source.columns is None
        else {"chosen": dict(source.columns.chosen), "candidates": dict(source.columns.candidates)},
        "annotators": source.annotators,
        "readable": {"looked_at": looked_at, "unreadable": len(broken)},
        "unreadable": [
            {"item": one.item, "code": one.code, "message": one.message} for one in unreadable[:EXAMPLES]
        ],
        "unreadable_count": len(unreadable),
        "duplicates": {
            "images": duplicates.images,
            "across_splits": duplicates.across_splits,
            "different_labels": duplicates.different_labels,
            "compared": duplicates.compared,
            "complete": duplicates.complete,
            "examples": duplicates.examples,
        },
    }
    report["warnings"] = warnings_of(report, part=part)
    return report


def _sample(source: Recognised, limits: Limits, should_stop: Callable[[], bool]) -> tuple[int, list[Refusal]]:
    """How many images were tried, and those that cannot be read."""
    found: list[Refusal] = []
    looked_at = 0
    with DecoderPool(Allowance(image_pixels=limits.image_pixels)) as pool:
        waiting = []
        for item in source.sample(SAMPLED):
            if should_stop():
                raise Cancelled
            looked_at += 1
            if isinstance(item, Refusal):
                found.append(item)
            else:
                waiting.append((item, pool.submit([item.data])))
        for entry, future in waiting:
            (outcome,) = future.result()
            if isinstance(outcome, Unreadable):
                found.append(Refusal(entry.name, outcome.code, MESSAGES[outcome.code]))
    return looked_at, found


def _duplicates(
    source: Recognised, should_stop: Callable[[], bool], clock: Callable[[], float]
) -> _Duplicates:
    found = _Duplicates()
    first: dict[bytes, Identity] = {}
    deadline = clock() + HASHED_SECONDS
    for identity in source.identities():
        if clock() > deadline:
            found.complete = False
            break
        if should_stop():
            raise Cancelled
        found.compared += 1
        if identity is None:
            continue
        earlier = first.setdefault(identity.digest, identity)
        if earlier is identity:
            continue
        found.images += 1
        found.across_splits += earlier.split != identity.split
        found.different_labels += earlier.label != identity.label
        if len(found.examples) < EXAMPLES:
            found.examples.append(
                {
                    "names": [earlier.name, identity.name],
                    "labels": [earlier.label, identity.label],
                    "splits": [earlier.split, identity.split],
                }
            )
    return found


def warnings_of(report: dict[str, Any], *, part: bool = False) -> list[dict[str, str]]:
    """What deserves a word before the import, the gravest first."""
    said: list[tuple[str, str]] = []
    duplicates = report["duplicates"]
    if duplicates["different_labels"]:
        said.append(
            (
                "DUPLICATES_DISAGREE",
                f"{_images(duplicates['different_labels'])} there more than once with different labels, "
                "of which at least one is wrong.",
            )
        )
    if duplicates["across_splits"]:
        said.append(
            (
                "DUPLICATES_ACROSS_SPLITS",
                f"{_images(duplicates['across_splits'])} in more than one split.",
            )
        )
    said += [] if part else _about_sizes(report)
    return [{"code": code, "message": message} for code, message in said]


def _about_sizes(report: dict[str, Any]) -> list[tuple[str, str]]:
    totals: Counter[str] = Counter(dict.fromkeys(report["classes"], 0))
    for labels in report["counts"].values():
        totals.update(labels)
    few = [name for name, size in totals.items() if size < FEW]
    if few:
        named = ", ".join(f"“{name}” ({totals[name]})" for name in few[:5])
        more = f" and {len(few) - 5:,} more" if len(few) > 5 else ""
        return [("CLASSES_TOO_FEW", f"Fewer than {FEW} samples have the class {named}{more}.")]
    if totals and max(totals.values()) > _RARE * min(totals.values()):
        least, size = min(totals.items(), key=lambda item: item[1])
        most, largest = max(totals.items(), key=lambda item: item[1])
        return [("CLASSES_UNEVEN", f"“{most}” has {largest:,} samples, “{least}” only {size:,}.")]
    return []


def _images(count: int) -> str:
    return "1 image is" if count == 1 else f"{count:,} images are"
