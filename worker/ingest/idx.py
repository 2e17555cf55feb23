"""MNIST-style IDX files, gzipped or not: pairs of images and labels, train and t10k.

Format: http://yann.lecun.com/exdb/mnist, two zero bytes, a type, the number of dimensions, then each as big-endian u32.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.class_names import names_beside
from worker.ingest.listed import Listed, Row, check_classes, label_count, named, take, unknown_label
from worker.ingest.members import Members, Reader
from worker.ingest.names import natural_key, shown
from worker.ingest.rasters import RecordPictures, Records, check_raster
from worker.ingest.source import Refusal, Wish
from worker.ingest.tar_archive import gunzipped

_IMAGES = re.compile(r"(?P<stem>.*?)-?images[-.]idx[34][-.]ubyte(\.gz)?", re.IGNORECASE)
_LABELS = re.compile(r"(?P<stem>.*?)-?labels[-.]idx1[-.]ubyte(\.gz)?", re.IGNORECASE)
_MAPPING = re.compile(r"(?P<stem>.*?)-?mapping\.txt", re.IGNORECASE)
"""EMNIST's list of the characters that a label stands for."""
_MAPPING_BYTES = 1 << 16
"""The longest of them, of 62 classes, has 500."""
_UBYTE = 0x08
_ON_THEIR_SIDE = "emnist"
"""How the files begin whose images are stored column by column, as EMNIST's are."""
_SPLITS = {"train": "train", "t10k": "test", "test": "test", "val": "val", "valid": "val"}


def recognise(members: Members, wish: Wish, limits: Limits) -> Listed | None:
    """The members as IDX files, or None when none is called as they are.

    Raises BadInput LABEL_MISSING (images without labels), LABEL_COUNT, SIZE_MISMATCH, ARCHIVE_UNREADABLE and
    ARCHIVE_BOMB (gzip), BAD_NAME (a list of classes), TOO_FEW, SPLIT_MISSING, LIMIT_EXCEEDED.
    """
    names = sorted(members.sizes, key=natural_key)
    images = {found["stem"]: name for name in names if (found := _IMAGES.fullmatch(name))}
    labels = {found["stem"]: name for name in names if (found := _LABELS.fullmatch(name))}
    lists = (
        found
        for name in names
        if _on_their_side(name)
        and members.sizes[name] <= _MAPPING_BYTES
        and (found := _MAPPING.fullmatch(name))
    )
    if not images:
        return None
    open_member = _opener(members, limits)
    rows: list[Row] = []
    refusals: list[Refusal] = []
    records: dict[str, Records] = {}
    with members.reading() as reader:
        class_names = names_beside(members, reader)
        mappings = {} if class_names else {found["stem"]: found[0] for found in lists}
        characters = {stem: _characters(reader, name) for stem, name in mappings.items()}
        for stem, name in images.items():
            if stem not in labels:
                raise BadInput(
                    "LABEL_MISSING", "There is no file of labels to these images.", item=shown(name)
                )
            with open_member(reader, labels[stem]) as file:
                (count,), start = _header(file, labels[stem], (1,))
                file.seek(start)
                numbers = file.read(count)
            with open_member(reader, name) as file:
                (total, *shape), start = _header(file, name, (3, 4))
            check_raster(tuple(shape), name, limits)
            if total != count:
                raise label_count(total, count, labels[stem])
            turn = _turned if _on_their_side(name) else None
            records[name] = Records(start, _size(shape), tuple(shape), levels=turn)
            word = re.split(r"[-_./]", stem.casefold())[-1]
            own = characters.get(stem[: len(stem) - len(word)].rstrip("-"))
            before = f"{stem}-" if stem else ""
            for place, number in enumerate(numbers):
                item = f"{before}{place:06d}.png"
                label = named(number, class_names) if own is None else own.get(number)
                if label is None:
                    refusals.append(unknown_label(item, number))
                else:
                    rows.append(Row(item, label, _SPLITS.get(word), name, place))
    rows, splits, taken = take(rows, wish.split, has_splits=len({row.split for row in rows}) > 1)
    mentioned = [label for own in characters.values() for label in own.values()]
    met = sorted({row.label for row in rows}, key=natural_key)
    classes = class_names or list(dict.fromkeys([*mentioned, *met]))
    check_classes(classes, rows, limits, "The labels must name two classes at least.", wish.fewest_classes)
    used = {*images.values(), *labels.values(), *mappings.values()}
    what = (
        f"{len(images)} pairs of IDX files (images, labels)"
        if len(images) > 1
        else "an IDX file of images and one of labels"
    )
    turned = ", turned upright as EMNIST's must be" if any(map(_on_their_side, records)) else ""
    return Listed(
        format="idx",
        reason=f"{members.what} with {what}{turned}",
        rows=rows,
        classes=list(classes),
        open=RecordPictures(members, records, open_member).opened,
        splits=splits,
        taken=taken,
        refusals=refusals,
        ignored=members.ignored + len(members.sizes) - len(used),
        opens=frozenset(name for name in used if name.casefold().endswith(".gz")),
    )


def _characters(reader: Reader, name: str) -> dict[int, str]:
    """What each label stands for: a line holds its number and the code points of its characters, in decimal.

    Raises BadInput BAD_NAME for anything else, and for the same characters twice.
    """
    found: dict[int, str] = {}
    for line in filter(str.strip, reader.read(name).decode("ascii", errors="replace").splitlines()):
        try:
            number, *points = map(int, line.split())
            characters = "".join(map(chr, points))
        except (ValueError, OverflowError):
            characters = ""
        if not characters.strip() or not characters.isprintable():
            raise BadInput(
                "BAD_NAME",
                "A line is not a label's number and the code points of its characters.",
                hint="Name the classes in a classes.txt instead.",
                item=shown(name),
            )
        found[number] = characters
    if len(set(found.values())) != len(found):
        raise BadInput("BAD_NAME", "Two labels have the same characters.", item=shown(name))
    return found


def _on_their_side(name: str) -> bool:
    return name.rsplit("/", 1)[-1].casefold().startswith(_ON_THEIR_SIDE)


def _turned(image: NDArray[Any]) -> NDArray[np.uint8]:
    """The image with rows and columns exchanged."""
    return np.swapaxes(image, 0, 1)


def _opener(members: Members, limits: Limits) -> Callable[[Reader, str], BinaryIO]:
    """Opens a member, unpacked when it is gzipped."""

    def open_member(reader: Reader, name: str) -> BinaryIO:
        file = reader.open(name)
        if not name.casefold().endswith(".gz"):
            return file
        with file:
            return cast(BinaryIO, gunzipped(file, limits, compressed=members.sizes[name]))

    return open_member


def _header(file: BinaryIO, name: str, dimensions: tuple[int, ...]) -> tuple[list[int], int]:
    """The dimensions, and where the data begin; the file must hold exactly what they say."""
    zero, kind, count = struct.unpack(">HBB", file.read(4).ljust(4, b"\xff"))
    if zero or count not in dimensions:
        raise BadInput("ARCHIVE_UNREADABLE", "This is no IDX file of images or labels.", item=shown(name))
    if kind != _UBYTE:
        raise BadInput(
            "ARCHIVE_METHOD",
            "Only IDX files of unsigned bytes are read.",
            item=shown(name),
            limit=_UBYTE,
            found=kind,
        )
    head = file.read(4 * count)
    if len(head) != 4 * count:
        raise BadInput("ARCHIVE_UNREADABLE", "The IDX file is cut short.", item=shown(name))
    shape = list(struct.unpack(f">{count}I", head))
    start = 4 + 4 * count
    length = file.seek(0, 2)
    if length != start + _size(shape):
        raise BadInput(
            "SIZE_MISMATCH",
            "The IDX file has another size than it says.",
            item=shown(name),
            limit=start + _size(shape),
            found=length,
        )
    return shape, start


def _size(shape: list[int]) -> int:
    return math.prod(shape)
