"""The archives of CIFAR-10 and CIFAR-100 as their authors publish them: Python's batches, and the binary ones.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. Images are 3 × 32 × 32, one plane a
colour; a binary record holds one label byte (CIFAR-100: coarse, then fine) before its pixels.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest import cifar_pickle
from worker.ingest.class_names import names_beside
from worker.ingest.columns import wished
from worker.ingest.listed import Listed, Row, check_classes, label_count, named, take, unknown_label
from worker.ingest.members import Members, Reader, check_member_sizes
from worker.ingest.names import natural_key, shown
from worker.ingest.rasters import RecordPictures, Records
from worker.ingest.source import Columns, Refusal, Wish

_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32
_BATCH_BYTES = 256 << 20
"""A pickled batch is held in memory; the largest that was ever published has 155 MB."""
_CLASSES = {1: 10, 2: 100}
"""By label bytes a record: how many classes there are when no file names them."""
_LABELS = {"labels": 10, "fine_labels": 100, "coarse_labels": 20}
_NAMES = {"labels": "label_names", "fine_labels": "fine_label_names", "coarse_labels": "coarse_label_names"}
_WORDS = {"fine_labels": "fine", "coarse_labels": "coarse"}


@dataclass(frozen=True, slots=True)
class _Batch:
    """One file's labels by the name of their column, in record order, and its images' names where it gives some."""

    name: str
    labels: Mapping[str, Sequence[int]]
    names: Sequence[str] | None


def recognise(members: Members, wish: Wish, limits: Limits) -> Listed | None:
    """The members as one of CIFAR's archives, or None when they are not called as there.

    Raises BadInput PICKLE_REFUSED, ARCHIVE_UNREADABLE, SIZE_MISMATCH, LABEL_COUNT, TOO_FEW, SPLIT_MISSING.
    """
    by_base = {name.rsplit("/", 1)[-1]: name for name in sorted(members.sizes, key=natural_key)}
    binary = [
        base for base in by_base if re.fullmatch(r"(data_batch_[0-9]+|test_batch|train|test)\.bin", base)
    ]
    with members.reading() as reader:
        if binary:
            return _binary(members, reader, [by_base[base] for base in binary], wish, limits)
        pickled = [
            name
            for base, name in by_base.items()
            if re.fullmatch(r"data_batch_[0-9]+|test_batch|train|test|meta|batches\.meta", base)
            and _starts_as_pickle(reader, name)
        ]
        if pickled:
            return _pickled(members, reader, pickled, wish, limits)
    return None


def _starts_as_pickle(reader: Reader, name: str) -> bool:
    with reader.open(name) as file:
        return file.read(2) in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


# --- binary ----------------------------------------------------------------------------------------


def _binary(members: Members, reader: Reader, files: list[str], wish: Wish, limits: Limits) -> Listed | None:
    hundred = any(name.rsplit("/", 1)[-1] in ("train.bin", "test.bin") for name in files)
    label_bytes = 2 if hundred else 1
    step = label_bytes + _PIXELS
    for name in files:
        if members.sizes[name] % step:
            raise BadInput(
                "SIZE_MISMATCH",
                "A batch of CIFAR ends in the middle of a record.",
                hint="Download the archive again.",
                item=shown(name),
                limit=f"a multiple of {step}",
                found=members.sizes[name],
            )
    columns = ["coarse_labels", "fine_labels"] if hundred else ["labels"]
    batches = []
    for name in files:
        with reader.open(name) as file:
            head = b"".join(_heads(file, step, label_bytes))
        batches.append(
            _Batch(name, {column: head[place::label_bytes] for place, column in enumerate(columns)}, None)
        )
    class_names = {
        column: names_beside(members, reader, (f"{_NAMES[column]}.txt", "batches.meta.txt"))
        for column in columns
    }
    pictures = RecordPictures(
        members, {name: Records(label_bytes, step, _SHAPE, planes=True) for name in files}
    )
    return _listed(members, batches, class_names, wish, limits, pictures, "binary batches", len(files))


def _heads(file: BinaryIO, step: int, label_bytes: int) -> Iterator[bytes]:
    """The label bytes of every record, without holding the pixels of more than a thousand."""
    while block := file.read(step * 1000):
        yield b"".join(block[start : start + label_bytes] for start in range(0, len(block), step))


# --- Python's ----------------------------------------------------------------------------------------


def _pickled(members: Members, reader: Reader, files: list[str], wish: Wish, limits: Limits) -> Listed | None:
    check_member_sizes(members, files, _BATCH_BYTES)
    batches: list[_Batch] = []
    raw: dict[str, bytes] = {}
    meta: dict[str, Any] = {}
    for name in files:
        found = cifar_pickle.load(reader.read(name), name)
        pixels = found.get("data")
        if not isinstance(pixels, cifar_pickle.Stored):
            meta.update(found)
            continue
        if pixels.shape[1:] != (_PIXELS,):
            raise BadInput("SIZE_MISMATCH", "The images of a batch are not 3 × 32 × 32.", item=shown(name))
        labels = {word: found[word] for word in _LABELS if _are_numbers(found.get(word))}
        for column in labels.values():
            if len(column) != pixels.shape[0]:
                raise label_count(pixels.shape[0], len(column), name)
        raw[name] = pixels.raw
        batches.append(_Batch(name, labels, _texts(found.get("filenames"), pixels.shape[0])))
    if not batches or not all(batch.labels for batch in batches):
        return None
    class_names = {word: _texts(meta.get(key), None) for word, key in _NAMES.items()}
    pictures = RecordPictures(
        members,
        {name: Records(0, _PIXELS, _SHAPE, planes=True) for name in raw},
        lambda _, name: io.BytesIO(raw[name]),
    )
    return _listed(members, batches, class_names, wish, limits, pictures, "Python batches", len(files))


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, int) and not isinstance(one, bool) for one in value
    )


def _texts(value: Any, count: int | None) -> list[str] | None:
    """A list of text that may be bytes; None when it is none, or of another length, or says something twice."""
    if not isinstance(value, list) or (count is not None and len(value) != count):
        return None
    found = [one.decode("utf-8", errors="replace") if isinstance(one, bytes) else one for one in value]
    if not all(isinstance(one, str) and one for one in found) or len(set(found)) != len(found):
        return None
    return cast(list[str], found)


# --- both ------------------------------------------------------------------------------------------


def _listed(
    members: Members,
    batches: Sequence[_Batch],
    class_names: Mapping[str, Sequence[str] | None],
    wish: Wish,
    limits: Limits,
    pictures: RecordPictures,
    what: str,
    used: int,
) -> Listed:
    header = [word for word in _LABELS if all(word in batch.labels for batch in batches)]
    label = next((word for word in ("labels", "fine_labels", *header) if word in header), "labels")
    columns = None
    if len(header) > 1:
        label = wished(wish.columns, "label", header, batches[0].name) or label
        columns = Columns({"label": label}, {"label": header})
    names = class_names.get(label) or [str(number) for number in range(_LABELS[label])]
    rows: list[Row] = []
    refusals: list[Refusal] = []
    for batch in batches:
        base = batch.name.rsplit("/", 1)[-1].removesuffix(".bin")
        split = "test" if base.startswith("test") else "train"
        own = batch.names or [f"{base}/{place:05d}.png" for place in range(len(batch.labels[label]))]
        for place, (name, number) in enumerate(zip(own, batch.labels[label], strict=True)):
            class_name = named(number, names)
            if class_name is None:
                refusals.append(unknown_label(name, number))
            else:
                rows.append(Row(name, class_name, split, batch.name, place))
    has_splits = len({row.split for row in rows}) > 1
    rows, splits, taken = take(rows, wish.split, has_splits=has_splits)
    check_classes(names, rows, limits, "CIFAR's batches hold ten classes or more.", wish.fewest_classes)
    return Listed(
        format="cifar",
        reason=f"{members.what} with CIFAR's {what}, labels in “{label}”",
        rows=rows,
        classes=list(names),
        open=pictures.opened,
        splits=splits,
        taken=taken,
        refusals=refusals,
        ignored=members.ignored + len(members.sizes) - used,
        columns=columns,
    )
