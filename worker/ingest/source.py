"""What every format is asked and what it yields: labelled image bytes, lazily; knows no format, opens no file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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


COLUMNS = ("image", "label", "true_label", "split", "annotators")
"""What a column of a table can be to us; `annotators` may name several, with commas between."""


class Cancelled(Exception):
    """The import was asked to stop; what it had written is gone."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants of a source: one split or all, and which columns hold what where that was guessed wrong.

    `columns` maps words of `COLUMNS` to column names of the user's table; an empty name means "none". `fewest_classes` is
    how many must be in use: what is added to a dataset may have one alone.
    """

    split: str = "train"
    columns: Mapping[str, str] = field(default_factory=dict)
    fewest_classes: int = 2


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table were taken for what, and what else could be taken.

    `chosen` holds words of `COLUMNS` that have a column, `candidates` the columns that each word could be. `table` is how
    a table beside the images was written (csv, tsv, jsonl, …), empty where there is none.
    """

    chosen: Mapping[str, str]
    candidates: Mapping[str, list[str]]
    table: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One labelled image as it was delivered; `name` is the user's and never becomes a path here.

    `annotations` are the labels that each of the source's annotators gave, None where one gave none.
    """

    name: str
    label: str
    split: str | None
    data: bytes
    true_label: str | None = None
    annotations: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """One item that cannot become a sample; a row of the import report, the rest goes on."""

    item: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of an entry without decoding it; equal digests are equal images."""

    name: str
    label: str
    split: str | None
    digest: bytes


class Source(Protocol):
    """A recognised dataset, checked as a whole, whose entries are still to be read.

    `format` and `reason` say what was recognised and why. `splits` counts the entries of each split
    (empty when there are none), `taken` names the one that `entries` yields (or "all"). `classes` is
    in label order. `total` counts the entries of the taken split, `ignored` the files that are no part
    of the dataset (hidden files, notes beside the images). `columns` is None where nothing was guessed,
    `annotators` names whose labels the entries carry beside the given one.
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
    @property
    def columns(self) -> Columns | None: ...
    @property
    def annotators(self) -> list[str]: ...

    def entries(self, limit: int | None = None) -> Iterator[Entry | Refusal]:
        """The first `limit` entries in the source's fixed order; raises BadInput when the container is damaged."""
        ...


class Recognised(Source, Protocol):
    """A source out of somebody's files, which can be looked at without reading all of it.

    `counts` holds the labelled entries of each class by split of what is taken ("" where there are no splits).
    `refusals` are the items that are known beforehand to become no sample. `opens` names the members that are
    archives themselves and that this format knows how to read.
    """

    @property
    def counts(self) -> dict[str, dict[str, int]]: ...
    @property
    def refusals(self) -> Sequence[Refusal]: ...
    @property
    def opens(self) -> frozenset[str]: ...

    def sample(self, count: int) -> Iterator[Entry | Refusal]:
        """About `count` of the entries, spread over all of them, at little cost."""
        ...

    def identities(self) -> Iterator[Identity | None]:
        """One item per entry in order, as cheaply as can be; None where the entry equals no other for certain."""
        ...


def spread(total: int, count: int) -> list[int]:
    """At most `count` of the places 0…total−1, evenly, first and last among them."""
    if total <= count:
        return list(range(total))
    return sorted({round(place * (total - 1) / max(1, count - 1)) for place in range(count)})


def split_in(name: str) -> str | None:
    """The split that a file's name or a folder above it says: test/0.parquet, train-00000-of-00002.parquet."""
    *folders, file = name.casefold().split("/")
    for part in (re.split(r"[-_.]", file)[0], *reversed(folders)):
        if part in SPLIT_NAMES:
            return SPLIT_NAMES[part]
    return None


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
