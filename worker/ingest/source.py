"""What every format yields: labelled image bytes, lazily; knows no format and opens no file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from backend.audit.errors import BadInput

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "eval": "test",
}
"""Folder and shard names that mean a split, in lower case, and the one word we use for each."""

UNNAMED_SPLIT = "other"
"""Where shards or folders without a split's name go when others have one."""


class Cancelled(Exception):
    """The import was asked to stop; what it had written is gone."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One labelled image as it was delivered; `name` is the user's and never becomes a path here."""

    name: str
    label: str
    split: str | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """One item that cannot become a sample; a row of the import report, the rest goes on."""

    item: str
    code: str
    message: str


class Source(Protocol):
    """A recognised dataset, checked as a whole, whose entries are still to be read.

    `format` and `reason` say what was recognised and why. `splits` counts the entries of each split
    (empty when there are none), `taken` names the one that `entries` yields (or "all"). `classes` is
    in label order. `total` counts the entries of the taken split, `ignored` the files that are no part
    of the dataset (hidden files, notes beside the images).
    """

    @property
    def format(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def splits(self) -> dict[str, int]: ...
    @property
    def taken(self) -> str: ...
    @property
    def classes(self) -> list[str]: ...
    @property
    def total(self) -> int: ...
    @property
    def ignored(self) -> int: ...

    def entries(self, limit: int | None = None) -> Iterator[Entry | Refusal]:
        """The first `limit` entries in the source's fixed order; raises BadInput when the container is damaged."""
        ...


def take_split(splits: dict[str, int], wanted: str) -> str:
    """The split to read: the wanted one, or all there is when the source has at most one.

    `train` is what is wanted by default, so a source with a single split of another name is taken whole.
    Raises BadInput SPLIT_MISSING when several splits exist and the wanted one is not among them.
    """
    if wanted == "all" or not splits:
        if wanted not in ("all", "train"):
            raise _missing(splits, wanted)
        return "all"
    if wanted in splits:
        return wanted
    if len(splits) == 1 and wanted == "train":
        return next(iter(splits))
    raise _missing(splits, wanted)


def _missing(splits: dict[str, int], wanted: str) -> BadInput:
    return BadInput(
        "SPLIT_MISSING",
        f"There is no split “{wanted}” here.",
        hint="Name one of the splits found, or all.",
        limit=", ".join(sorted(splits)) or "no splits",
        found=wanted,
    )
