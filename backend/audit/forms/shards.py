"""Which samples lie together in one file, where a form has several: by split, and of bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from backend.audit.forms.content import Content

SHARD_BYTES = 256 << 20
"""Images of one shard, about."""


class Shard(NamedTuple):
    """Shard `number` of the `of` shards of a split, and the places of its samples in their order."""

    split: str
    number: int
    of: int
    places: list[int]


def places_by_split(content: Content) -> dict[str, list[int]]:
    """The places of each split's samples; all are `train` where there are no splits."""
    by_split: dict[str, list[int]] = {}
    for place in range(len(content)):
        split = content.split_M[place] if content.split_M is not None else "train"
        by_split.setdefault(split, []).append(place)
    return by_split


def shards(content: Content) -> list[Shard]:
    """Every shard of every split."""
    parts = [
        (split, part)
        for split, places in places_by_split(content).items()
        for part in spans(content, places, SHARD_BYTES)
    ]
    of = Counter(split for split, _ in parts)
    numbers: Counter[str] = Counter()
    found = []
    for split, part in parts:
        found.append(Shard(split, numbers[split], of[split], part))
        numbers[split] += 1
    return found


def spans(content: Content, places: Sequence[int], size: int, rows: int | None = None) -> Iterator[list[int]]:
    """The places in parts of at most so many bytes of images, and rows; at least one in each."""
    part: list[int] = []
    held = 0
    for place in places:
        image = int(content.bytes_M[place])
        if part and (held + image > size or len(part) == rows):
            yield part
            part, held = [], 0
        part.append(place)
        held += image
    if part:
        yield part
