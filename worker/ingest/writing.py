"""What decoded images become: packs, training pixels and columns in step, and the report of an import.

Knows bytes and columns; no format, no decoder's process, no database. Shape letters: N samples, A annotators.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.decoder import CONVERSIONS, PIXEL_SIDE, Decoded
from worker.ingest.decoding import Unreadable
from worker.ingest.packing import PackWriter, PixelWriter
from worker.ingest.source import Entry, Refusal, Source

MISSING = -1
"""What stands for a label that is not known."""
_LISTED = 1000
"""How many unreadable items the report names; all are counted."""
_EXAMPLES = 100
"""How many images that are there already the report names."""

MESSAGES = {
    "IMAGE_FORMAT": "This is not a JPEG, PNG, WebP, BMP, GIF or TIFF image with whole-number pixels.",
    "IMAGE_CORRUPT": "The image is damaged or cut short.",
    "IMAGE_TOO_LARGE": "The image has too many pixels.",
    "IMAGE_MULTIFRAME": "The file holds several frames or pages.",
    "IMAGE_TIMEOUT": "The image takes too long to decode.",
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What `import_images` wrote, as columns by sample index, and what it has to report.

    `report`: recognised, reason, splits {name: entries}, taken (split, or "all"), total (entries found),
    imported, unreadable [{item, code, message}] (at most 1 000), unreadable_count, ignored (files that are no
    part of the dataset), conversions {what: images}, duplicates (images whose bytes an earlier one has),
    class_counts {class: samples}, columns {word: column of the user's table}, annotators [column].
    `split` is None where the source has none; `true_label_N` is None where no sample has one, else -1 where
    one is missing. `annotation_NA` holds what each of the `annotators` said, -1 where one said nothing.
    Of an import onto a dataset these are the new samples alone, and the report says further already_there, skipped, differing
    and examples [{item, index, label, given_label}]; the files hold the old samples before them.
    """

    names: list[str]
    given_label_N: NDArray[np.int32]
    content_hash: list[str]
    width_N: NDArray[np.int32]
    height_N: NDArray[np.int32]
    split: list[str | None]
    true_label_N: NDArray[np.int32] | None
    annotators: list[str]
    annotation_NA: NDArray[np.int32]
    classes: list[str]
    image_shape: tuple[int, int, int]
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Onto:
    """A dataset that an import adds to. Its packs lie in the folder that is written to.

    `image_NHWC` are its training pixels, `native_N` says which of them have their image's own size, `there` gives the
    (sample index, class) of each image by its hash. What is there already is left out, unless `keep_duplicates`.
    """

    image_NHWC: NDArray[np.uint8]
    native_N: NDArray[np.bool_]
    there: Mapping[str, tuple[int, str]]
    keep_duplicates: bool = False


class _AlreadyThere:
    """Of the entries that came, those whose image the dataset that is added to holds."""

    def __init__(self, onto: Onto) -> None:
        self._onto = onto
        self._images = self._differing = 0
        self._examples: list[dict[str, Any]] = []

    def admits(self, entry: Entry) -> bool:
        """Counts the entry; whether it becomes a sample."""
        found = self._onto.there.get(hashlib.sha256(entry.data).hexdigest())
        if found is None:
            return True
        index, given_label = found
        self._images += 1
        self._differing += entry.label != given_label
        if len(self._examples) < _EXAMPLES:
            example = {
                "item": entry.name,
                "index": index,
                "label": entry.label,
                "given_label": given_label,
            }
            self._examples.append(example)
        return self._onto.keep_duplicates

    def report(self) -> dict[str, Any]:
        """already_there, skipped, differing (under another label), and examples."""
        return {
            "already_there": self._images,
            "skipped": 0 if self._onto.keep_duplicates else self._images,
            "differing": self._differing,
            "examples": self._examples,
        }


@dataclass
class _Columns:
    names: list[str] = field(default_factory=list)
    given_labels: list[int] = field(default_factory=list)
    content_hashes: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    splits: list[str | None] = field(default_factory=list)
    true_labels: list[int] = field(default_factory=list)
    annotations: list[tuple[int, ...]] = field(default_factory=list)


class Writer:
    """Takes decoded images in sample order; keeps files and columns in step."""

    def __init__(
        self,
        directory: Path,
        classes: list[str],
        limits: Limits,
        all_or_nothing: bool,
        onto: Onto | None = None,
    ) -> None:
        self._class_index = {name: place for place, name in enumerate(classes)}
        self._limits = limits
        self._all_or_nothing = all_or_nothing
        self._images = PackWriter(directory, "images", onto=onto is not None)
        self._thumbs = PackWriter(directory, "thumbs", onto=onto is not None)
        self._pixels = PixelWriter(directory)
        self._already = None if onto is None else _AlreadyThere(onto)
        if onto is not None:
            self._pixels.take_over(onto.image_NHWC, onto.native_N)
        self._columns = _Columns()
        self._conversions: Counter[int] = Counter()
        self._unreadable: list[Refusal] = []
        self._unreadable_codes: Counter[str] = Counter()
        self.seen = 0

    def admits(self, entry: Entry) -> bool:
        """Whether the entry is to be decoded; asked of each in order, before it is added."""
        if self._already is None or self._already.admits(entry):
            return True
        self.seen += 1
        return False

    def add(self, entry: Entry, outcome: Decoded | Unreadable) -> None:
        """The next entry and what the decoder said of it."""
        if isinstance(outcome, Unreadable):
            found = f" ({outcome.width} × {outcome.height})" if outcome.width else ""
            self.refuse(Refusal(entry.name, outcome.code, MESSAGES[outcome.code] + found))
            return
        self.seen += 1
        self._images.append(entry.data)
        self._thumbs.append(outcome.thumbnail)
        native = max(outcome.width, outcome.height) <= PIXEL_SIDE
        self._pixels.append(outcome.pixel_shape, outcome.pixels, native=native)
        self._conversions[outcome.conversions] += 1
        columns = self._columns
        columns.names.append(entry.name)
        columns.given_labels.append(self._class_index[entry.label])
        columns.content_hashes.append(hashlib.sha256(entry.data).hexdigest())
        columns.widths.append(outcome.width)
        columns.heights.append(outcome.height)
        columns.splits.append(entry.split)
        columns.true_labels.append(self._number(entry.true_label))
        columns.annotations.append(tuple(map(self._number, entry.annotations)))

    def _number(self, label: str | None) -> int:
        return MISSING if label is None else self._class_index[label]

    def refuse(self, refusal: Refusal) -> None:
        """An item that becomes no sample."""
        self.seen += 1
        if self._all_or_nothing:
            raise BadInput(
                refusal.code,
                refusal.message,
                hint="Mend it, or import without “all or nothing”.",
                item=refusal.item,
            )
        self._unreadable_codes[refusal.code] += 1
        if len(self._unreadable) < _LISTED:
            self._unreadable.append(refusal)

    def finish(self, source: Source) -> Imported:
        """Closes the files; raises BadInput TOO_FEW when what is left is nothing to audit."""
        columns = self._columns
        given_label_N = np.array(columns.given_labels, dtype=np.int32)
        count_C = np.bincount(given_label_N, minlength=len(source.classes))
        if self._already is None:
            self._check_enough(count_C)
        elif not columns.names:
            raise self._nothing_new(self._already.report()["skipped"])
        self._images.close()
        self._thumbs.close()
        shape = self._pixels.close()
        conversions = {
            name: sum(times for done, times in self._conversions.items() if done >> place & 1)
            for place, name in enumerate(CONVERSIONS)
        }
        report = {
            "recognised": source.format,
            "reason": source.reason,
            "splits": source.splits,
            "taken": source.taken,
            "total": source.total,
            "imported": len(columns.names),
            "unreadable": [
                {"item": one.item, "code": one.code, "message": one.message} for one in self._unreadable
            ],
            "unreadable_count": self._unreadable_codes.total(),
            "ignored": source.ignored,
            "conversions": {name: times for name, times in conversions.items() if times},
            "duplicates": len(columns.names) - len(set(columns.content_hashes)),
            "class_counts": dict(zip(source.classes, count_C.tolist(), strict=True)),
            "columns": dict(source.columns.chosen) if source.columns else {},
            "table_format": source.columns.table if source.columns else "",
            "annotators": source.annotators,
        }
        if self._already is not None:
            report |= self._already.report()
        true_label_N = np.array(columns.true_labels, dtype=np.int32)
        label_NA = np.array(columns.annotations, dtype=np.int32).reshape(len(columns.names), -1)
        return Imported(
            names=columns.names,
            given_label_N=given_label_N,
            content_hash=columns.content_hashes,
            width_N=np.array(columns.widths, dtype=np.int32),
            height_N=np.array(columns.heights, dtype=np.int32),
            split=columns.splits,
            true_label_N=true_label_N if (true_label_N != MISSING).any() else None,
            annotators=source.annotators,
            annotation_NA=label_NA,
            classes=source.classes,
            image_shape=shape,
            report=report,
        )

    def _check_enough(self, count_C: NDArray[np.intp]) -> None:
        present = int((count_C > 0).sum())
        if present >= 2 and count_C.max() >= 2:
            return
        common = self._unreadable_codes.most_common(1)
        unread = (
            f" {self._unreadable_codes.total()} could not be read, most: {common[0][0]}." if common else ""
        )
        raise BadInput(
            "TOO_FEW",
            f"{int(count_C.sum())} images in {present} classes are too few to audit.{unread}",
            hint="At least two classes are needed, one of them with two images or more.",
            item=self._unreadable[0].item if self._unreadable else None,
            limit=2,
            found=present,
        )

    def _nothing_new(self, skipped: int) -> BadInput:
        return BadInput(
            "NOTHING_NEW",
            f"None of the {self.seen:,} images is new: {skipped:,} are in the dataset already, "
            f"{self._unreadable_codes.total():,} could not be read.",
            hint="Nothing was added.",
            item=self._unreadable[0].item if self._unreadable else None,
        )

    def discard(self) -> None:
        """Removes everything written."""
        self._images.discard()
        self._thumbs.discard()
        self._pixels.discard()
