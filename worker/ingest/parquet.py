"""Hugging Face style Parquet: an image column of bytes and a label column, in one file or several shards."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.members import PARQUET_SUFFIX, Members, Reader
from worker.ingest.names import has_bad_character, natural_key, shown
from worker.ingest.parquet_schema import UNLABELLED, Columns, Value, check_classes, columns_of, invalid
from worker.ingest.source import SPLIT_NAMES, UNNAMED_SPLIT, Entry, Refusal, take_split

_BATCH_BYTES = 256 << 20
"""Bound on one batch, counting each row as its whole column chunk: a dictionary may repeat one value in all."""

_BATCH_ROWS = 4096
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
class _Shard:
    name: str
    split: str | None
    rows: int
    columns: Columns


@dataclass(frozen=True, slots=True)
class ParquetShards:
    """Parquet shards in file order (train-2 before train-10), rows in the order they are stored."""

    members: Members
    shards: Sequence[_Shard]
    classes: list[str]
    values: dict[Value, str]
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
        self, name: str, split: str | None, data: bytes | None, value: Value | None
    ) -> Entry | Refusal:
        if value is None or (value == UNLABELLED and UNLABELLED not in self.values):
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
        columns = columns_of(schema, name)
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


def _classes(reader: Reader, shards: Sequence[_Shard], limits: Limits) -> dict[Value, str]:
    """Class names by label value, in label order; raises when the shards disagree or hold fewer than two."""
    kinds = {shard.columns for shard in shards}
    if len(kinds) > 1:
        raise invalid("The shards differ in their columns or class names.")
    declared = shards[0].columns.names
    seen: Counter[Value | None] = Counter()
    for shard in shards:
        rows = 0
        with _opened(reader, shard.name) as parquet:
            for batch in _record_batches(parquet, [shard.columns.label]):
                rows += batch.num_rows
                seen.update(_plain(batch.column(0)))
                if rows > shard.rows or len(seen) > limits.members:
                    break
        if rows != shard.rows:
            raise invalid("The Parquet file holds another number of rows than it says.", shard.name)
    present = [value for value in seen if value is not None]
    if declared is not None and all(isinstance(value, int) for value in present):
        values: dict[Value, str] = dict(enumerate(declared))
    elif declared is not None:
        values = {name: name for name in declared}
    elif all(isinstance(value, int) for value in present):
        values = {value: str(value) for value in sorted(present, key=int) if value != UNLABELLED}
    else:
        values = {value: str(value) for value in sorted(present, key=lambda value: natural_key(str(value)))}
    check_classes(values, seen, limits)
    return values


def _record_batches(parquet: pq.ParquetFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """The columns in batches whose memory is bounded, whatever the pages expand to."""
    for group in range(parquet.metadata.num_row_groups):
        chunks = parquet.metadata.row_group(group)
        sizes = [
            chunk.total_uncompressed_size
            for chunk in map(chunks.column, range(chunks.num_columns))
            if chunk.path_in_schema.split(".")[0] in columns
        ]
        rows = min(_BATCH_ROWS, _BATCH_BYTES // max([1, *sizes]))
        yield from parquet.iter_batches(
            batch_size=max(1, rows), row_groups=[group], columns=columns, use_threads=False
        )


def _plain(column: pa.Array) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return list(column.to_pylist())


def _rows(reader: Reader, shard: _Shard) -> Iterator[tuple[int, bytes | None, str | None, Value | None]]:
    """Row number in the shard, image bytes, the path beside them, label value."""
    columns = shard.columns
    with _opened(reader, shard.name) as parquet:
        row = 0
        for batch in _record_batches(parquet, [columns.image, columns.label]):
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
