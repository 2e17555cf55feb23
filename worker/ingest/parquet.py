"""Hugging Face style Parquet: an image column of bytes and a label column, in one file or several shards."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.members import PARQUET_SUFFIX, Members, Reader
from worker.ingest.names import has_bad_character, natural_key, shown
from worker.ingest.source import SPLIT_NAMES, UNNAMED_SPLIT, Entry, Refusal, take_split

_IMAGE_COLUMNS = ("image", "img", "jpg", "png", "webp", "picture")
_LABEL_COLUMNS = ("label", "labels", "fine_label", "class", "target", "category", "cls")
_BATCH_BYTES = 256 << 20
"""Bound on one batch, counting each row as its whole column chunk: a dictionary may repeat one value in all."""

_BATCH_ROWS = 1024
# What pyarrow raises on hostile bytes (ArrowInvalid is a ValueError, ArrowIOError an OSError).
_MALFORMED = (
    pa.ArrowException,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    MemoryError,
)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which columns hold what, and the class names by label value where the schema declares them."""

    image: str
    label: str
    names: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class _Shard:
    name: str
    split: str | None
    rows: int
    columns: _Columns


@dataclass(frozen=True, slots=True)
class ParquetShards:
    """Parquet shards in file order (train-2 before train-10), rows in the order they are stored."""

    members: Members
    shards: Sequence[_Shard]
    classes: list[str]
    values: dict[int | str, str]
    splits: dict[str, int]
    taken: str
    total: int
    ignored: int
    reason: str
    limits: Limits
    format: str = "parquet"

    def entries(self, limit: int | None = None) -> Iterator[Entry | Refusal]:
        left = self.total if limit is None else min(limit, self.total)
        rows_before: Counter[str | None] = Counter()
        paths: set[str] = set()
        expanded = 0
        with self.members.reading() as reader:
            for shard in self.shards:
                if left <= 0:
                    return
                for row, data, path, value in _rows(reader, shard):
                    if left <= 0:
                        return
                    left -= 1
                    number = rows_before[shard.split] + row
                    name = f"{shard.split}/{number:06d}" if shard.split else f"{number:06d}"
                    if path and path not in paths and _fit_for_a_name(path, self.limits):
                        paths.add(path)
                        name = path
                    item = self._entry(name, shard.split, data, value)
                    expanded += len(data or b"")
                    if expanded > self.limits.expanded_bytes:
                        raise BadInput(
                            "LIMIT_EXCEEDED",
                            "The images are too large together.",
                            limit=self.limits.expanded_bytes,
                            found=expanded,
                        )
                    yield item
                rows_before[shard.split] += shard.rows

    def _entry(
        self, name: str, split: str | None, data: bytes | None, value: int | str | None
    ) -> Entry | Refusal:
        if value is None or (value == -1 and -1 not in self.values):  # −1 marks rows without a label
            return Refusal(name, "LABEL_MISSING", "The row has no label.")
        if value not in self.values:
            return Refusal(
                name, "LABEL_UNKNOWN", f"The label {shown(str(value))} is outside the declared classes."
            )
        if not data:
            return Refusal(name, "IMAGE_CORRUPT", "The row holds no image bytes.")
        if len(data) > self.limits.member_bytes:
            return Refusal(name, "LIMIT_EXCEEDED", f"The image is over {self.limits.member_bytes} bytes.")
        return Entry(name, self.values[value], split, data)


def recognise(members: Members, split: str, limits: Limits) -> ParquetShards | None:
    """The members as Parquet shards, or None when there is none.

    Raises BadInput PARQUET_INVALID, LABEL_MISSING (no label column, or no row has one), LIMIT_EXCEEDED,
    SPLIT_MISSING, TOO_FEW. Reads the footers of all shards and the label column of those taken.
    """
    names = sorted(
        (name for name in members.sizes if name.casefold().endswith(PARQUET_SUFFIX)), key=natural_key
    )
    if not names:
        return None
    with members.reading() as reader:
        shards = [_footer(reader, name) for name in names]
        counts: Counter[str] = Counter()
        if any(shard.split for shard in shards):
            for shard in shards:
                counts[shard.split or UNNAMED_SPLIT] += shard.rows
        taken = take_split(dict(counts), split)
        chosen = [shard for shard in shards if taken == "all" or (shard.split or UNNAMED_SPLIT) == taken]
        chosen.sort(key=lambda shard: ("train", "val", "test", None).index(shard.split))
        total = sum(shard.rows for shard in chosen)
        if total > limits.members:
            raise BadInput("LIMIT_EXCEEDED", "Too many rows.", limit=limits.members, found=total)
        values = _classes(reader, chosen, limits)
    used = set(names)
    missing = _missing_shards(chosen)
    return ParquetShards(
        members=members,
        shards=chosen,
        classes=list(dict.fromkeys(values.values())),
        values=values,
        splits=dict(counts),
        taken=taken,
        total=total,
        ignored=members.ignored + sum(name not in used for name in members.sizes),
        reason=(
            f"{members.what} with Parquet: {len(chosen)} of {len(shards)} shards, images in "
            f"“{chosen[0].columns.image}”, labels in “{chosen[0].columns.label}”"
            + (f" (shards missing by their numbering: {missing})" if missing else "")
        ),
        limits=limits,
    )


def invalid(message: str, name: str | None = None) -> BadInput:
    """What a Parquet file that cannot be read gets."""
    return BadInput(
        "PARQUET_INVALID",
        message,
        hint="Write the file again, or repeat the upload.",
        item=None if name is None else shown(name),
    )


@contextmanager
def _opened(reader: Reader, name: str) -> Iterator[pq.ParquetFile]:
    """A shard; whatever pyarrow says of it while it is open becomes PARQUET_INVALID."""
    with reader.open(name) as file:
        try:
            with pq.ParquetFile(file, buffer_size=1 << 20, page_checksum_verification=True) as parquet:
                yield parquet
        except _MALFORMED as error:
            raise invalid("The Parquet file is damaged.", name) from error


def _footer(reader: Reader, name: str) -> _Shard:
    with _opened(reader, name) as parquet:
        schema = parquet.schema_arrow
        rows = parquet.metadata.num_rows
        columns = _columns(schema, name)
    if rows < 0:
        raise invalid("The Parquet file is damaged.", name)
    return _Shard(name, _split_of(name), rows, columns)


def _split_of(name: str) -> str | None:
    """The split that a folder or the shard's own name says: test/0.parquet, train-00000-of-00002.parquet."""
    *folders, file = name.casefold().split("/")
    first = re.split(r"[-_.]", file)[0]
    for part in (first, *reversed(folders)):
        if part in SPLIT_NAMES:
            return SPLIT_NAMES[part]
    return None


def _missing_shards(shards: Sequence[_Shard]) -> int:
    """How many shards the numbering `-00000-of-00002` speaks of that are not there."""
    declared: dict[str, int] = {}
    for shard in shards:
        if numbered := re.fullmatch(r"(.*)-([0-9]{1,9})-of-([0-9]{1,9})\.parquet", shard.name.casefold()):
            declared[numbered[1]] = int(numbered[3])
    return max(0, sum(declared.values()) - len(shards)) if declared else 0


def _columns(schema: pa.Schema, name: str) -> _Columns:
    features = _features(schema, name)

    def declared(kind: str) -> list[str]:
        return [
            key for key, value in features.items() if isinstance(value, dict) and value.get("_type") == kind
        ]

    images = [field.name for field in schema if _holds_images(field.type)]
    image = _pick(images, _IMAGE_COLUMNS, declared("Image"))
    if image is None:
        raise BadInput(
            "PARQUET_INVALID",
            "The Parquet file has no image column.",
            hint="Images are bytes, or a struct with a field “bytes”, in a column called image.",
            item=shown(name),
            found=shown(", ".join(schema.names)),
        )
    labels = [field.name for field in schema if field.name != image and _holds_labels(field.type)]
    class_labels = declared("ClassLabel")
    label = _pick(
        [column for column in labels if column in class_labels or column.casefold() in _LABEL_COLUMNS],
        _LABEL_COLUMNS,
        class_labels,
    )
    if label is None:
        raise BadInput(
            "LABEL_MISSING",
            "The Parquet file has no label column.",
            hint="Labels are whole numbers or words in a column called label.",
            item=shown(name),
            found=shown(", ".join(schema.names)),
        )
    names = features[label].get("names") if label in class_labels else None
    if names is not None:
        if not isinstance(names, list) or not all(isinstance(one, str) and one for one in names):
            raise invalid("The class names in the schema are not a list of words.", name)
        if len(set(names)) != len(names):
            raise invalid("Two classes of the schema have the same name.", name)
    return _Columns(image, label, None if names is None else tuple(names))


def _features(schema: pa.Schema, name: str) -> dict[str, Any]:
    text = (schema.metadata or {}).get(b"huggingface")
    if text is None:
        return {}
    try:
        features = json.loads(text)["info"]["features"]
        return features if isinstance(features, dict) else {}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise invalid("The dataset's description in the schema cannot be read.", name) from error


def _holds_images(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _is_bytes(kind.field(place).type)
    return _is_bytes(kind)


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _holds_labels(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _pick(present: Sequence[str], usual: Iterable[str], declared: Sequence[str]) -> str | None:
    """The column to use: a declared one with a usual name, a declared one, a usual name, or the only one."""
    by_usual = [column for word in usual for column in present if column.casefold() == word]
    for column in (
        *(c for c in by_usual if c in declared),
        *(c for c in declared if c in present),
        *by_usual,
    ):
        return column
    return present[0] if len(present) == 1 else None


def _classes(reader: Reader, shards: Sequence[_Shard], limits: Limits) -> dict[int | str, str]:
    """Class names by label value, in label order; raises when the shards disagree or hold fewer than two."""
    kinds = {shard.columns for shard in shards}
    if len(kinds) > 1:
        raise invalid("The shards differ in their columns or class names.")
    declared = shards[0].columns.names
    seen: Counter[int | str | None] = Counter()
    for shard in shards:
        with _opened(reader, shard.name) as parquet:
            rows = 0
            for batch in parquet.iter_batches(batch_size=1 << 16, columns=[shard.columns.label]):
                rows += batch.num_rows
                seen.update(_plain(batch.column(0)))
                if rows > shard.rows or len(seen) > limits.members:
                    break
        if rows != shard.rows:
            raise invalid("The Parquet file holds another number of rows than it says.", shard.name)
    present = [value for value in seen if value is not None]
    if declared is not None and all(isinstance(value, int) for value in present):
        values: dict[int | str, str] = dict(enumerate(declared))
    elif declared is not None:
        values = {name: name for name in declared}
    elif all(isinstance(value, int) for value in present):
        values = {value: str(value) for value in sorted(present, key=int) if value != -1}
    else:
        values = {value: str(value) for value in sorted(present, key=lambda value: natural_key(str(value)))}
    _check_classes(values, seen, limits)
    return values


def _check_classes(values: dict[int | str, str], seen: Counter[int | str | None], limits: Limits) -> None:
    if len(values) > limits.classes:
        raise BadInput(
            "LIMIT_EXCEEDED",
            "Too many classes; is this the label column?",
            limit=limits.classes,
            found=len(values),
        )
    for label in values.values():
        if len(label) > limits.label_characters or has_bad_character(label):
            raise BadInput(
                "BAD_NAME" if has_bad_character(label) else "LIMIT_EXCEEDED",
                "A class name is too long or holds control characters.",
                item=shown(label),
                limit=limits.label_characters,
                found=len(label),
            )
    used = [value for value in values if seen[value]]
    if seen and not used:
        missing = seen[None] + seen[-1] == seen.total()
        raise BadInput(
            "LABEL_MISSING" if missing else "LABEL_UNKNOWN",
            "No row has a label." if missing else "No row has a label of the declared classes.",
            hint="Splits that are published without labels cannot be audited.",
        )
    if len(used) < 2:
        raise BadInput(
            "TOO_FEW", "The labels name one class only; an audit compares classes.", limit=2, found=len(used)
        )


def _plain(column: pa.Array) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return list(column.to_pylist())


def _rows(reader: Reader, shard: _Shard) -> Iterator[tuple[int, bytes | None, str | None, int | str | None]]:
    """Row number in the shard, image bytes, the path beside them, label value."""
    columns = shard.columns
    with _opened(reader, shard.name) as parquet:
        row = 0
        for group in range(parquet.metadata.num_row_groups):
            size = max(1, parquet.metadata.row_group(group).total_byte_size)
            batches = parquet.iter_batches(
                batch_size=max(1, min(_BATCH_ROWS, _BATCH_BYTES // size)),
                row_groups=[group],
                columns=[columns.image, columns.label],
                use_threads=False,
            )
            for batch in batches:
                image = batch.column(columns.image)
                paths: list[Any] = [None] * len(image)
                if pa.types.is_struct(image.type):
                    parts = dict(zip([field.name for field in image.type], image.flatten(), strict=True))
                    image = parts["bytes"]
                    if "path" in parts:
                        paths = parts["path"].to_pylist()
                labels = _plain(batch.column(columns.label))
                for data, path, value in zip(image.to_pylist(), paths, labels, strict=True):
                    yield row, data, path if isinstance(path, str) else None, value
                    row += 1
        if row != shard.rows:
            raise invalid("The Parquet file holds another number of rows than it says.", shard.name)


def _fit_for_a_name(path: str, limits: Limits) -> bool:
    return not has_bad_character(path) and len(path.encode()) <= limits.name_bytes
