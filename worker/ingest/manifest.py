"""A table beside the images says which label each has: CSV, JSON Lines or Parquet; knows no pixels.

What a table says of files is looked up among the members' names, never joined to a path.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.class_folders import IMAGE_SUFFIXES
from worker.ingest.columns import IMAGE_NAMES, annotators_in, guess, label_untold, plain, told
from worker.ingest.listed import Listed, Row, check_classes, classes_of, file_pictures, take
from worker.ingest.lookup import Lookup
from worker.ingest.members import Members
from worker.ingest.names import natural_key, shown
from worker.ingest.sheets import TABLE_SUFFIXES, Sheet, read_table
from worker.ingest.source import SPLIT_NAMES, Columns, Refusal, Wish, split_in

_LOOKED_AT = 200
"""Rows by which the image column is told."""
_ENOUGH = 0.5
"""Share of those rows whose image must be there."""
_SPARE_CLASSES = 1000
"""An unnamed column with more distinct values than this is no label column."""


@dataclass(frozen=True, slots=True)
class _Read:
    sheet: Sheet
    columns: Columns


def recognise(members: Members, wish: Wish, limits: Limits) -> Listed | None:
    """The members as images with a table, or None when no table names images and labels.

    Raises BadInput CSV_PARSE, JSON_INVALID or PARQUET_INVALID (with the line) for a table that cannot be read, and
    LABEL_MISSING for one whose label column cannot be told, unless the images lie in class folders anyway;
    COLUMN_UNKNOWN, TOO_FEW, SPLIT_MISSING, LIMIT_EXCEEDED.
    """
    images = [name for name in members.sizes if name.casefold().endswith(IMAGE_SUFFIXES)]
    names = [
        name
        for name, size in sorted(members.sizes.items(), key=lambda item: natural_key(item[0]))
        if name.casefold().endswith(TABLE_SUFFIXES) and size <= limits.member_bytes
    ]
    if not images or not names:
        return None
    files = Lookup(images)
    try:
        found = [one for name in names if (one := _read(members, name, files, wish, limits))]
    except BadInput:
        if not wish.columns and _are_class_folders(images):
            return None
        raise
    if not found:
        return None
    rows, refusals = _rows(found, files)
    used = {row.file for row in rows}
    without = sorted(set(images) - used - {refusal.item for refusal in refusals}, key=natural_key)
    refusals += [
        Refusal(shown(name), "LABEL_MISSING", "No row of the table names this image.") for name in without
    ]
    rows, splits, taken = take(rows, wish.split, has_splits=any(row.split is not None for row in rows))
    classes = classes_of(rows)
    check_classes(
        classes, rows, limits, "The table's label column must hold at least two classes.", wish.fewest_classes
    )
    columns = found[0].columns
    tables = ", ".join(shown(one.sheet.name.rsplit("/", 1)[-1]) for one in found)
    guessed = "the label is what most annotators say, " if "label" not in columns.chosen else ""
    return Listed(
        format="manifest",
        reason=f"{members.what} with images and a table ({tables}): {guessed}{told(columns)}",
        rows=rows,
        classes=classes,
        open=file_pictures(members, rows, limits),
        splits=splits,
        taken=taken,
        refusals=refusals,
        ignored=members.ignored + len(members.sizes) - len(images) - len(found),
        columns=replace(columns, table=found[0].sheet.name.rsplit(".", 1)[-1].casefold()),
        annotators=annotators_in(columns),
    )


def _are_class_folders(images: Sequence[str]) -> bool:
    folders = {name.rsplit("/", 1)[0].rsplit("/", 1)[-1].casefold() for name in images if "/" in name}
    return len(folders - SPLIT_NAMES.keys()) > 1


def _read(members: Members, name: str, files: Lookup, wish: Wish, limits: Limits) -> _Read | None:
    """The table with what its columns are for; None when it names no images."""
    with members.reading() as reader:
        sheet = read_table(reader, name, limits)
    images = _image_columns(sheet, files)
    if not images and wish.columns.get("image") not in sheet.header:
        return None

    def spare(left: Sequence[str]) -> str | None:
        likely = [
            one for one in left if 2 <= len(set(sheet.cells(one))) <= min(_SPARE_CLASSES, len(sheet) // 2)
        ]
        return likely[0] if len(likely) == 1 else None

    columns = guess(sheet.header, wish.columns, name, images=images, spare=spare)
    if "label" not in columns.chosen and "annotators" not in columns.chosen:
        raise label_untold(name, sheet.header)
    return _Read(sheet, columns)


def _image_columns(sheet: Sheet, files: Lookup) -> list[str]:
    """Columns whose cells name images, the best first."""
    order = {name: place for place, name in enumerate(IMAGE_NAMES)}
    scored = []
    for place, column in enumerate(sheet.header):
        cells = sheet.cells(column)
        some = cells[:: max(1, len(cells) // _LOOKED_AT)]
        there = sum(files.find(cell, sheet.name) is not None for cell in some)
        if some and there >= _ENOUGH * len(some):
            scored.append((-there, order.get(plain(column), len(order)), place, column))
    return [column for *_, column in sorted(scored)]


def _rows(found: Sequence[_Read], files: Lookup) -> tuple[list[Row], list[Refusal]]:
    rows: list[Row] = []
    refusals: list[Refusal] = []
    seen: set[str] = set()
    for one in found:
        sheet, chosen, annotators = one.sheet, one.columns.chosen, annotators_in(one.columns)
        cells = sheet.cells(chosen["image"])
        nothing: list[str | None] = [None] * len(cells)
        labels, true_labels, splits = (
            sheet.cells(chosen[word]) if word in chosen else nothing
            for word in ("label", "true_label", "split")
        )
        said = list(zip(*map(sheet.cells, annotators), strict=True)) if annotators else [()] * len(cells)
        from_name = split_in(sheet.name)
        for cell, label, true_label, split, votes in zip(
            cells, labels, true_labels, splits, said, strict=True
        ):
            name = files.find(cell, sheet.name)
            label = label if "label" in chosen else _most_said(votes)
            if name is None:
                refusals.append(
                    Refusal(shown(cell or "?"), "IMAGE_MISSING", "The image of this row is not there.")
                )
            elif name in seen:
                refusals.append(Refusal(shown(name), "DUPLICATE_NAME", "The table names this image twice."))
            elif label is None:
                refusals.append(Refusal(shown(name), "LABEL_MISSING", "The row has no label."))
            else:
                where = SPLIT_NAMES.get(split.casefold()) if split else from_name or split_in(name)
                true = true_label and _class(true_label)
                said_here = tuple(one and _class(one) for one in votes)
                rows.append(Row(name, _class(label), where, name, true_label=true, annotations=said_here))
            if name is not None:
                seen.add(name)
    return rows, refusals


def _class(label: str) -> str:
    return unicodedata.normalize("NFC", label)


def _most_said(annotations: Sequence[str | None]) -> str | None:
    """What most annotators say; of several the one that was said first."""
    said = Counter(one for one in annotations if one is not None)
    return said.most_common(1)[0][0] if said else None
