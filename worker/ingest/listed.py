"""Sources whose samples are all known by name and label before the first image is read; knows no format."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.members import Members, check_member_sizes
from worker.ingest.names import has_bad_character, natural_key, shown
from worker.ingest.source import UNNAMED_SPLIT, Columns, Entry, Identity, Refusal, spread, take_split

SPLIT_ORDER = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Row:
    """One sample before its image is read: `file`, `place` and `size` say where that lies.

    A member; in it the record of this number, or the first byte and the number of bytes.
    """

    name: str
    label: str
    split: str | None
    file: str
    place: int = 0
    size: int = 0
    true_label: str | None = None
    annotations: tuple[str | None, ...] = ()


class Pictures(Protocol):
    """Gets the images of rows while their container is open."""

    def image(self, row: Row) -> bytes:
        """An image file."""
        ...

    def record(self, row: Row) -> bytes:
        """What makes the image this one, at less cost than the image file where there is such a thing."""
        ...

    def trait(self, row: Row) -> Hashable:
        """Something that equal images share and that costs nothing to know; None where there is nothing."""
        ...


Open = Callable[[], AbstractContextManager[Pictures]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A source made of rows; `rows` are those of the taken split, in their final order."""

    format: str
    reason: str
    rows: Sequence[Row]
    classes: list[str]
    open: Open
    splits: dict[str, int] = field(default_factory=dict)
    taken: str = "all"
    refusals: Sequence[Refusal] = ()
    ignored: int = 0
    columns: Columns | None = None
    annotators: list[str] = field(default_factory=list)
    opens: frozenset[str] = frozenset()

    @property
    def total(self) -> int:
        return len(self.rows)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self.rows:
            found[(row.split or UNNAMED_SPLIT) if self.splits else ""][row.label] += 1
        return {split: dict(labels) for split, labels in found.items()}

    def entries(self, limit: int | None = None) -> Iterator[Entry | Refusal]:
        yield from self.refusals
        yield from self._read(self.rows[:limit])

    def sample(self, count: int) -> Iterator[Entry | Refusal]:
        yield from self._read([self.rows[place] for place in spread(len(self.rows), count)])

    def identities(self) -> Iterator[Identity | None]:
        with self.open() as pictures:
            traits = [pictures.trait(row) for row in self.rows]
            times = Counter(traits)
            for row, trait in zip(self.rows, traits, strict=True):
                if trait is not None and times[trait] == 1:
                    yield None
                else:
                    digest = hashlib.sha256(pictures.record(row)).digest()
                    yield Identity(row.name, row.label, row.split, digest)

    def _read(self, rows: Iterable[Row]) -> Iterator[Entry]:
        with self.open() as pictures:
            for row in rows:
                data = pictures.image(row)
                yield Entry(row.name, row.label, row.split, data, row.true_label, row.annotations)


class FilePictures:
    """Images that are members of their own."""

    def __init__(self, members: Members) -> None:
        self._members = members

    @contextmanager
    def opened(self) -> Iterator[Pictures]:
        """Reads from the container until the block ends."""
        with self._members.reading() as reader:
            self._reader = reader
            yield self

    def image(self, row: Row) -> bytes:
        return self._reader.read(row.file)

    def record(self, row: Row) -> bytes:
        return self._reader.read(row.file)

    def trait(self, row: Row) -> Hashable:
        return self._members.sizes[row.file], self._members.checksum(row.file)


def file_pictures(members: Members, rows: Iterable[Row], limits: Limits) -> Open:
    """Opens images that are members of their own; raises BadInput LIMIT_EXCEEDED when one is too large."""
    check_member_sizes(members, (row.file for row in rows), limits.member_bytes)
    return FilePictures(members).opened


def take(rows: Sequence[Row], wanted: str, *, has_splits: bool) -> tuple[list[Row], dict[str, int], str]:
    """The rows of the wanted split (train, val, test, then the rest; otherwise in order), all splits, the one taken."""
    counts = dict(Counter(row.split or UNNAMED_SPLIT for row in rows)) if has_splits else {}
    taken = take_split(counts, wanted)
    chosen = [row for row in rows if taken == "all" or (row.split or UNNAMED_SPLIT) == taken]
    if has_splits and taken == "all":
        order = {name: place for place, name in enumerate(SPLIT_ORDER)}
        chosen.sort(key=lambda row: order.get(row.split or "", len(order)))
    return chosen, counts, taken


def classes_of(rows: Iterable[Row]) -> list[str]:
    """Every label that a row, its true label or an annotator names, in natural order."""
    found: set[str] = set()
    for row in rows:
        found.add(row.label)
        found.update(label for label in (row.true_label, *row.annotations) if label is not None)
    return sorted(found, key=lambda label: (natural_key(label), label))


def check_classes(
    classes: Sequence[str], rows: Sequence[Row], limits: Limits, hint: str, fewest: int
) -> None:
    """Raises BadInput: too many classes or rows, a class name too long or unprintable, fewer in use than `fewest`."""
    if len(rows) > limits.members:
        raise BadInput("LIMIT_EXCEEDED", "Too many samples.", limit=limits.members, found=len(rows))
    check_class_names(classes, limits)
    used = {row.label for row in rows}
    if len(used) < fewest:
        raise BadInput(
            "TOO_FEW",
            "The labels name one class only; an audit compares classes."
            if used
            else "No sample has a label.",
            hint=hint,
            item=shown(next(iter(used))) if used else None,
            limit=fewest,
            found=len(used),
        )


def check_class_names(classes: Sequence[str], limits: Limits) -> None:
    """Raises BadInput: too many classes, or a name that is empty, too long or unprintable."""
    if len(classes) > limits.classes:
        raise BadInput(
            "LIMIT_EXCEEDED",
            "Too many classes.",
            hint="Are these really labels?",
            limit=limits.classes,
            found=len(classes),
        )
    for label in classes:
        if not label or has_bad_character(label):
            raise BadInput(
                "BAD_NAME", "A class name is empty or holds control characters.", item=shown(label)
            )
        if len(label) > limits.label_characters:
            raise BadInput(
                "LIMIT_EXCEEDED",
                "A class name is too long.",
                item=shown(label),
                limit=limits.label_characters,
                found=len(label),
            )


def named(value: int, names: Sequence[str] | None) -> str | None:
    """The class of a number: its name where there are names (None outside of them), else the number itself."""
    if names is None:
        return str(value) if value >= 0 else None
    return names[value] if 0 <= value < len(names) else None


def label_count(images: int, labels: int, item: str) -> BadInput:
    """What differing numbers of images and labels get."""
    return BadInput(
        "LABEL_COUNT",
        "There are not as many labels as images.",
        hint="Each image needs one label, in the same order.",
        item=shown(item),
        limit=images,
        found=labels,
    )


def unknown_label(item: str, value: object) -> Refusal:
    """What one sample gets whose label is outside the declared classes."""
    return Refusal(
        shown(item), "LABEL_UNKNOWN", f"The label {shown(str(value))} is outside the declared classes."
    )
