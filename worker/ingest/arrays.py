"""numpy's arrays: an npz, or .npy files, with images (N × H × W, N × H × W × C or N × C × H × W) and labels.

Only the header of an array is parsed, and its bytes are taken as numbers: nothing pickled is ever opened.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.class_names import names_beside
from worker.ingest.columns import (
    IMAGE_NAMES,
    LABEL_NAMES,
    TRUE_LABEL_NAMES,
    annotators_in,
    annotators_of,
    by_name,
    label_untold,
    plain,
    wished,
)
from worker.ingest.columns import told as told_columns
from worker.ingest.listed import (
    Listed,
    Row,
    check_classes,
    classes_of,
    label_count,
    named,
    take,
    unknown_label,
)
from worker.ingest.members import Members, Reader
from worker.ingest.names import shown
from worker.ingest.npy_header import NotNpy, read_header
from worker.ingest.rasters import RecordPictures, Records, check_raster
from worker.ingest.source import SPLIT_NAMES, Columns, Refusal, Wish, spread

_SUFFIX = ".npy"
_TABLE = "the arrays"
_IMAGE_KEYS = ("images", *IMAGE_NAMES, "x", "data", "image_nhwc", "img")
_LABEL_KEYS = (*LABEL_NAMES, "targets")
_NAMES_KEYS = ("classes", "class_names", "label_names")
_LABEL_BYTES = 256 << 20
_RANGE_IMAGES = 64


@dataclass(frozen=True, slots=True)
class _Array:
    """An array's header: what it holds and where its data begin."""

    file: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int


def recognise(members: Members, wish: Wish, limits: Limits) -> Listed | None:
    """The members as arrays, or None when there are none, or none that can be images.

    Raises BadInput NPY_REJECTED (objects, a shape that cannot be), LABEL_COUNT, LABEL_MISSING, COLUMN_UNKNOWN,
    IMAGE_FORMAT, TOO_FEW, SPLIT_MISSING, LIMIT_EXCEEDED.
    """
    files = [name for name in members.sizes if name.casefold().endswith(_SUFFIX)]
    if not files:
        return None
    with members.reading() as reader:
        found = {_key(name): _header(reader, name, members.sizes[name]) for name in files}
        parts = _by_split(found)
        if not any(_images(arrays) for arrays in parts.values()):
            return None
        names = _class_names(members, reader, found)
        rows: list[Row] = []
        refusals: list[Refusal] = []
        records: dict[str, Records] = {}
        columns, one_hot = Columns({}, {}), False
        for split, arrays in parts.items():
            if not _images(arrays):
                continue
            columns = _columns(arrays, wish)
            image = arrays[columns.chosen["image"]]
            one_hot |= _could_be_one_hot(arrays[columns.chosen["label"]])
            records[image.file] = _records(reader, image, limits)
            _add_rows(reader, split, arrays, columns, names, rows, refusals, limits)
    rows, splits, taken = take(rows, wish.split, has_splits=len({row.split for row in rows}) > 1)
    classes = names or classes_of(rows)
    check_classes(
        classes, rows, limits, "The array of labels must hold two classes at least.", wish.fewest_classes
    )
    return Listed(
        format="arrays",
        reason=f"{'an npz' if members.packed else members.what} with arrays: {told_columns(columns)}"
        + (" (one-hot)" if one_hot else ""),
        rows=rows,
        classes=classes,
        open=RecordPictures(members, records).opened,
        splits=splits,
        taken=taken,
        refusals=refusals,
        ignored=members.ignored,
        columns=columns,
        annotators=annotators_in(columns),
    )


def _key(name: str) -> str:
    return name.rsplit("/", 1)[-1][: -len(_SUFFIX)]


def _header(reader: Reader, name: str, size: int) -> _Array:
    with reader.open(name) as file:
        try:
            shape, fortran, dtype = read_header(file)
        except NotNpy as error:
            raise rejected("The array's header cannot be read.", name) from error
        start = file.tell()
    if dtype.hasobject:
        raise rejected("The array holds Python objects, which could run code.", name)
    if fortran and len(shape) > 1:
        raise rejected("The array is stored column by column.", name)
    if any(side < 0 for side in shape) or math.prod(shape) * dtype.itemsize != size - start:
        raise rejected("The array has another size than its shape says.", name)
    return _Array(name, shape, dtype, start)


def rejected(message: str, name: str) -> BadInput:
    """What an array that cannot be taken gets."""
    return BadInput(
        "NPY_REJECTED",
        message,
        hint="Save plain numbers with numpy.savez, in C order: images as uint8, labels as whole numbers or text.",
        item=shown(name),
    )


def _by_split(found: Mapping[str, _Array]) -> dict[str | None, dict[str, _Array]]:
    """Arrays by split, the split's name taken off theirs: x_train, train_images, images_test."""
    parts: dict[str | None, dict[str, _Array]] = {}
    for key, array in found.items():
        words = plain(key).split("_")
        for place in (0, -1):
            if len(words) > 1 and words[place] in SPLIT_NAMES:
                split = SPLIT_NAMES[words.pop(place)]
                parts.setdefault(split, {})["_".join(words)] = array
                break
        else:
            parts.setdefault(None, {})[key] = array
    if any(_images(arrays) for split, arrays in parts.items() if split):
        parts.pop(None, None)  # what belongs to no split is names or notes
    return parts


def _images(arrays: Mapping[str, _Array]) -> list[str]:
    """Arrays that can be images, the likeliest first."""
    could = [key for key, array in arrays.items() if len(array.shape) in (3, 4) and array.dtype.kind in "uif"]
    order = {name: place for place, name in enumerate(_IMAGE_KEYS)}
    return sorted(could, key=lambda key: (order.get(plain(key), len(order)), key))


def _columns(arrays: Mapping[str, _Array], wish: Wish) -> Columns:
    images = _images(arrays)
    chosen = {"image": wished(wish.columns, "image", images, _TABLE) or images[0]}
    count = arrays[chosen["image"]].shape[0]
    could = [key for key, array in arrays.items() if _could_be_labels(array)]
    label = wished(wish.columns, "label", could, _TABLE) or by_name(could, _LABEL_KEYS)
    # A matrix may be anything: it is labels only where it is called so.
    alone = [key for key in could if _one_each(arrays[key])]
    if label is None and len(alone) == 1:
        label = alone[0]
    if label is None:
        raise label_untold(None, list(arrays))
    chosen["label"] = label
    left = [key for key in could if key != label and arrays[key].shape[0] == count]
    true_label = wished(wish.columns, "true_label", left, _TABLE)
    if "true_label" not in wish.columns:
        true_label = by_name(left, TRUE_LABEL_NAMES)
    if true_label:
        chosen["true_label"] = true_label
    annotators = annotators_of(wish.columns, [key for key in left if key != true_label], _TABLE)
    if annotators:
        chosen["annotators"] = ", ".join(annotators)
    return Columns(chosen, {"image": images, "label": could, "true_label": could})


def _could_be_labels(array: _Array) -> bool:
    if math.prod(array.shape) * array.dtype.itemsize > _LABEL_BYTES:
        return False
    return (_one_each(array) and array.dtype.kind in "uiUSfb") or _could_be_one_hot(array)


def _one_each(array: _Array) -> bool:
    return len(array.shape) == 1 or (len(array.shape) == 2 and array.shape[1] == 1)


def _could_be_one_hot(array: _Array) -> bool:
    return len(array.shape) == 2 and array.shape[1] > 1 and array.dtype.kind in "uifb"


def _class_names(members: Members, reader: Reader, found: Mapping[str, _Array]) -> list[str] | None:
    key = by_name(
        [key for key, array in found.items() if array.dtype.kind == "U" and len(array.shape) == 1],
        _NAMES_KEYS,
    )
    if key is None:
        return names_beside(members, reader)
    names = [str(name) for name in _read(reader, found[key])]
    if len(set(names)) != len(names) or not all(names):
        raise rejected("The names of the classes are empty, or one stands twice.", found[key].file)
    return names


def _read(reader: Reader, array: _Array) -> list[Any]:
    """All values, one after the other."""
    with reader.open(array.file) as file:
        file.seek(array.start)
        data = file.read(math.prod(array.shape) * array.dtype.itemsize)
    if array.dtype.kind == "U":
        # numpy would make text of any number, and Python break down over it later.
        sign = np.frombuffer(data, np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if ((sign > 0x10FFFF) | ((sign >= 0xD800) & (sign <= 0xDFFF))).any():
            raise rejected("The array holds text that is none.", array.file)
    values: list[Any] = np.frombuffer(data, array.dtype).tolist()
    return values


def _add_rows(
    reader: Reader,
    split: str | None,
    arrays: Mapping[str, _Array],
    columns: Columns,
    names: Sequence[str] | None,
    rows: list[Row],
    refusals: list[Refusal],
    limits: Limits,
) -> None:
    image = arrays[columns.chosen["image"]]
    count = image.shape[0]
    if count > limits.members:
        raise BadInput(
            "LIMIT_EXCEEDED", "Too many images.", item=shown(image.file), limit=limits.members, found=count
        )
    wanted = [
        columns.chosen["label"],
        *([columns.chosen["true_label"]] if "true_label" in columns.chosen else []),
    ]
    labels = []
    for key in (*wanted, *annotators_in(columns)):
        if arrays[key].shape[0] != count:
            raise label_count(count, arrays[key].shape[0], arrays[key].file)
        labels.append(_labels(reader, arrays[key], names))
    given, *others = labels
    true = others.pop(0) if "true_label" in columns.chosen else [None] * count
    own = _own_names(reader, arrays, count)
    before = f"{split}/" if split else ""
    for place in range(count):
        name = own[place] if own else f"{before}{place:06d}.png"
        label = given[place]
        if label is None:
            refusals.append(unknown_label(name, "of this row"))
        else:
            said = tuple(other[place] for other in others)
            rows.append(Row(name, label, split, image.file, place, true_label=true[place], annotations=said))


def _labels(reader: Reader, array: _Array, names: Sequence[str] | None) -> list[str | None]:
    """The classes by place; None where a number is outside the names, negative, or no whole number.

    Of one-hot rows the class is the place of the 1, and none where there is none. Raises BadInput NPY_REJECTED for
    rows of something else.
    """
    values = _read(reader, array)
    if _could_be_one_hot(array):
        values = _places_of_ones(values, array)
    if array.dtype.kind == "S":
        return [value.decode("utf-8", errors="replace") or None for value in values]
    if array.dtype.kind == "U":
        return [value or None for value in values]
    known = {value: named(int(value), names) for value in set(values) if value == value and value % 1 == 0}
    return [known.get(value) for value in values]


def _places_of_ones(values: list[Any], array: _Array) -> list[int]:
    """The column of each row's 1, −1 where a row holds none."""
    value_NC = np.array(values).reshape(array.shape)
    ones_NC = value_NC == 1
    wrong_N = (ones_NC.sum(axis=1) > 1) | ((value_NC != 0) & ~ones_NC).any(axis=1)
    if wrong_N.any():
        row = int(wrong_N.argmax())
        raise rejected(f"Row {row} of the labels is not one-hot: at most one 1, and 0 elsewhere.", array.file)
    place_N = np.where(ones_NC.any(axis=1), ones_NC.argmax(axis=1), -1)
    return list(place_N.tolist())


def _own_names(reader: Reader, arrays: Mapping[str, _Array], count: int) -> list[str] | None:
    array = next((arrays[key] for key in ("name", "names", "filenames") if key in arrays), None)
    if array is None or array.dtype.kind != "U" or array.shape != (count,):
        return None
    found = [str(name) for name in _read(reader, array)]
    return found if len(set(found)) == count and all(found) else None


def _records(reader: Reader, image: _Array, limits: Limits) -> Records:
    shape = image.shape[1:]
    planes = len(shape) == 3 and shape[2] not in (1, 3, 4) and shape[0] in (1, 3, 4)
    check_raster(shape, image.file, limits, planes=planes)
    step = math.prod(shape) * image.dtype.itemsize
    if image.dtype == np.uint8:
        return Records(image.start, step, shape, planes=planes)
    if image.dtype.kind == "f":
        top = 1.0 if _top(reader, image, step) <= 1.0 else 255.0
        return Records(image.start, step, shape, image.dtype, planes, partial(_from_floats, top=top))
    return Records(image.start, step, shape, image.dtype, planes, _from_whole)


def _top(reader: Reader, image: _Array, step: int) -> float:
    """The largest of the finite values of some images, which tells the range [0, 1] from [0, 255]."""
    top = 0.0
    with reader.open(image.file) as file:
        for place in spread(image.shape[0], _RANGE_IMAGES):
            file.seek(image.start + place * step)
            values = np.frombuffer(file.read(step), image.dtype)
            top = max(top, float(np.max(values, initial=0, where=np.isfinite(values))))
    return top


def _from_floats(image: NDArray[Any], *, top: float) -> NDArray[np.uint8]:
    """What is outside [0, `top`] is cut."""
    finite = np.nan_to_num(image.astype(np.float64), nan=0.0, posinf=top, neginf=0.0)
    levels: NDArray[np.uint8] = np.round(np.clip(finite / top, 0.0, 1.0) * 255).astype(np.uint8)
    return levels


def _from_whole(image: NDArray[Any]) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.clip(image, 0, 255).astype(np.uint8)
    return levels
