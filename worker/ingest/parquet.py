"""Hugging Face style Parquet: an image column of bytes and a label column, in one file or several shards."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.columns import told
from worker.ingest.members import PARQUET_SUFFIX, Members, Reader
from worker.ingest.names import has_bad_character, natural_key, shown
from worker.ingest.parquet_schema import (
    MALFORMED,
    UNLABELLED,
    ParquetColumns,
    Value,
    check_classes,
    columns_of,
    invalid,
)
from worker.ingest.source import (
    UNNAMED_SPLIT,
    Columns,
    Entry,
    Identity,
    Refusal,
    Wish,
    split_in,
    spread,
    take_split,
)

_SAMPLED_GROUPS = 16
"""A sample reads no more row groups than this."""
_BATCH_BYTES = 256 << 20
"""Bound on one batch, counting each row as its whole column chunk: a dictionary may repeat one value in all."""

_BATCH_ROWS = 4096


@dataclass(frozen=True, slots=True)
class _Shard:
    name: str
    split: str | None
    rows: int
    columns: ParquetColumns


@dataclass(frozen=True, slots=True)
class _Cells:
    """One row as it is stored; `values` are those of `ParquetColumns.labels`."""

    name: str
    split: str | None
    data: bytes | None
    values: tuple[Value | None, ...]


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
    counts: dict[str, dict[str, int]]
    format: str = "parquet"
    opens: frozenset[str] = frozenset()
    refusals: Sequence[Refusal] = ()

    @property
    def columns(self) -> Columns:
        return self.shards[0].columns.as_columns()

    @property
    def annotators(self) -> list[str]:
        return list(self.shards[0].columns.annotators)

    def entries(self, limit: int | None = None) -> Iterator[Entry | Refusal]:
        expanded = 0
        for cells in islice(self._cells(), limit):
            item = self._entry(cells)
            expanded += len(cells.data or b"")
            if expanded > self.limits.expanded_bytes:
                raise BadInput(
                    "LIMIT_EXCEEDED",
                    "The images are too large together.",
                    limit=self.limits.expanded_bytes,
                    found=expanded,
                )
            yield item

    def sample(self, count: int) -> Iterator[Entry | Refusal]:
        """The first rows of row groups that lie evenly over all shards: the others are not read."""
        with self.members.reading() as reader:
            groups = [(shard, group) for shard in self.shards for group in range(_groups(reader, shard))]
            wanted = [groups[place] for place in spread(len(groups), _SAMPLED_GROUPS)]
            for shard, group in wanted:
                rows = _rows(reader, shard, [group])
                for row, data, _, values in islice(rows, -(-count // max(1, len(wanted)))):
                    yield self._entry(_Cells(f"row {row} of group {group}", shard.split, data, values))

    def identities(self) -> Iterator[Identity | None]:
        for cells in self._cells():
            label = self.values.get(cells.values[0]) if cells.values[0] is not None else None
            if cells.data and label is not None:
                yield Identity(cells.name, label, cells.split, hashlib.sha256(cells.data).digest())
            else:
                yield None

    def _cells(self) -> Iterator[_Cells]:
        """All rows with their names: the path beside the image where it is fit for that, else their number."""
        rows_before: Counter[str | None] = Counter()
        paths: set[str] = set()
        with self.members.reading() as reader:
            for shard in self.shards:
                for row, data, path, values in _rows(reader, shard):
                    number = rows_before[shard.split] + row
                    name = f"{shard.split}/{number:06d}" if shard.split else f"{number:06d}"
                    if path and path not in paths and _fit_for_a_name(path, self.limits):
                        paths.add(path)
                        name = path
                    yield _Cells(name, shard.split, data, values)
                rows_before[shard.split] += shard.rows

    def _entry(self, cells: _Cells) -> Entry | Refusal:
        value, *others = cells.values
        if value is None or (value == UNLABELLED and UNLABELLED not in self.values):
            return Refusal(cells.name, "LABEL_MISSING", "The row has no label.")
        if value not in self.values:
            return Refusal(
                cells.name, "LABEL_UNKNOWN", f"The label {shown(str(value))} is outside the declared classes."
            )
        if not cells.data:
            return Refusal(cells.name, "IMAGE_CORRUPT", "The row holds no image bytes.")
        if len(cells.data) > self.limits.member_bytes:
            return Refusal(
                cells.name, "LIMIT_EXCEEDED", f"The image is over {self.limits.member_bytes} bytes."
            )
        known = [None if other is None else self.values.get(other) for other in others]
        true_label = known.pop(0) if self.shards[0].columns.true_label else None
        return Entry(cells.name, self.values[value], cells.split, cells.data, true_label, tuple(known))


def recognise(members: Members, wish: Wish, limits: Limits) -> ParquetShards | None:
    """The members as Parquet shards, or None when there is none.

    Raises BadInput PARQUET_INVALID, LABEL_MISSING (no label column, or no row has one), LIMIT_EXCEEDED,
    SPLIT_MISSING, TOO_FEW, COLUMN_UNKNOWN. Reads the footers of all shards and the label column of those taken.
    """
    names = sorted(
        (name for name in members.sizes if name.casefold().endswith(PARQUET_SUFFIX)), key=natural_key
    )
    if not names:
        return None
    with members.reading() as reader:
        shards = [_footer(reader, name, wish) for name in names]
        splits: Counter[str] = Counter()
        if any(shard.split for shard in shards):
            for shard in shards:
                splits[shard.split or UNNAMED_SPLIT] += shard.rows
        taken = take_split(dict(splits), wish.split)
        chosen = [shard for shard in shards if taken == "all" or (shard.split or UNNAMED_SPLIT) == taken]
        chosen.sort(key=lambda shard: ("train", "val", "test", None).index(shard.split))
        total = sum(shard.rows for shard in chosen)
        if total > limits.members:
            raise BadInput("LIMIT_EXCEEDED", "Too many rows.", limit=limits.members, found=total)
        values, seen = _classes(reader, chosen, limits, wish.fewest_classes)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for shard, labels in zip(chosen, seen, strict=True):
        for value, times in labels.items():
            if value in values and value is not None:
                counts[(shard.split or UNNAMED_SPLIT) if splits else ""][values[value]] += times
    used = set(names)
    missing = _missing_shards(chosen)
    return ParquetShards(
        members=members,
        shards=chosen,
        classes=list(dict.fromkeys(values.values())),
        values=values,
        splits=dict(splits),
        taken=taken,
        total=total,
        ignored=members.ignored + sum(name not in used for name in members.sizes),
        reason=(
            f"{members.what} with Parquet: {len(chosen)} of {len(shards)} shards, "
            f"{told(chosen[0].columns.as_columns())}"
            + (f" (shards missing by their numbering: {missing})" if missing else "")
        ),
        limits=limits,
        counts={split: dict(labels) for split, labels in counts.items()},
    )


@contextmanager
def _opened(reader: Reader, name: str) -> Iterator[pq.ParquetFile]:
    """A shard; whatever pyarrow says of it while it is open becomes PARQUET_INVALID."""
    with reader.open(name) as file:
        try:
            with pq.ParquetFile(file, buffer_size=1 << 20, page_checksum_verification=True) as parquet:
                yield parquet
        except MALFORMED as error:
            raise invalid("The Parquet file is damaged.", name) from error


def _groups(reader: Reader, shard: _Shard) -> int:
    with _opened(reader, shard.name) as parquet:
        return int(parquet.num_row_groups)


def _footer(reader: Reader, name: str, wish: Wish) -> _Shard:
    with _opened(reader, name) as parquet:
        schema = parquet.schema_arrow
        rows = parquet.metadata.num_rows
        columns = columns_of(schema, name, wish.columns)
    if rows < 0:
        raise invalid("The Parquet file is damaged.", name)
    return _Shard(name, split_in(name), rows, columns)


def _missing_shards(shards: Sequence[_Shard]) -> int:
    """How many shards the numbering `-00000-of-00002` speaks of that are not there."""
    declared: dict[str, int] = {}
    for shard in shards:
        if numbered := re.fullmatch(r"(.*)-([0-9]{1,9})-of-([0-9]{1,9})\.parquet", shard.name.casefold()):
            declared[numbered[1]] = int(numbered[3])
    return max(0, sum(declared.values()) - len(shards)) if declared else 0


def _classes(
    reader: Reader, shards: Sequence[_Shard], limits: Limits, fewest: int
) -> tuple[dict[Value, str], list[Counter[Value | None]]]:
    """Class names by label value, in label order, and how often each shard gives each value.

    Raises when the shards disagree or hold fewer classes than `fewest`.
    """
    kinds = {shard.columns for shard in shards}
    if len(kinds) > 1:
        raise invalid("The shards differ in their columns or class names.")
    columns = shards[0].columns
    declared = columns.names
    given: list[Counter[Value | None]] = []
    other: set[Value | None] = set()
    for shard in shards:
        rows = 0
        seen: Counter[Value | None] = Counter()
        with _opened(reader, shard.name) as parquet:
            for batch in record_batches(parquet, list(columns.labels)):
                rows += batch.num_rows
                seen.update(_plain(batch.column(columns.label)))
                for column in columns.labels[1:]:
                    other.update(_plain(batch.column(column)))
                if rows > shard.rows or len(seen) + len(other) > limits.members:
                    break
        if rows != shard.rows:
            raise invalid("The Parquet file holds another number of rows than it says.", shard.name)
        given.append(seen)
    present = [value for value in {*chain.from_iterable(given), *other} if value is not None]
    if declared is not None and all(isinstance(value, int) for value in present):
        values: dict[Value, str] = dict(enumerate(declared))
    elif declared is not None:
        values = {name: name for name in declared}
    elif all(isinstance(value, int) for value in present):
        values = {value: str(value) for value in sorted(present, key=int) if value != UNLABELLED}
    else:
        values = {value: str(value) for value in sorted(present, key=lambda value: natural_key(str(value)))}
    check_classes(values, sum(given, Counter()), limits, fewest)
    return values, given


def record_batches(
    parquet: pq.ParquetFile, columns: list[str], groups: Sequence[int] | None = None
) -> Iterator[pa.RecordBatch]:
    """The columns in batches whose memory is bounded, whatever the pages expand to."""
    for group in range(parquet.metadata.num_row_groups) if groups is None else groups:
        rows = min(_BATCH_ROWS, _BATCH_BYTES // max(1, _largest(parquet, columns, group)))
        yield from parquet.iter_batches(
            batch_size=max(1, rows), row_groups=[group], columns=columns, use_threads=False
        )


def _largest(parquet: pq.ParquetFile, columns: list[str], group: int) -> int:
    """Bytes of the largest of the columns in a row group, uncompressed; 0 where it holds no rows."""
    # Asked for a column whose description contradicts itself, pyarrow ends the process. Reading a row of the same
    # columns makes the same checks and raises.
    one_row = parquet.iter_batches(batch_size=1, row_groups=[group], columns=columns, use_threads=False)
    if next(one_row, None) is None:
        return 0
    described = parquet.metadata.row_group(group)
    paths = (parquet.schema.column(place).path for place in range(described.num_columns))
    return max(
        (
            int(described.column(place).total_uncompressed_size)
            for place, path in enumerate(paths)
            if any(path == column or path.startswith(f"{column}.") for column in columns)
        ),
        default=0,
    )


def _plain(column: pa.Array) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return list(column.to_pylist())


def _rows(
    reader: Reader, shard: _Shard, groups: Sequence[int] | None = None
) -> Iterator[tuple[int, bytes | None, str | None, tuple[Value | None, ...]]]:
    """Row number (in the shard, or in the groups), image bytes, the path beside them, label values."""
    columns = shard.columns
    with _opened(reader, shard.name) as parquet:
        row = 0
        for batch in record_batches(parquet, [columns.image, *columns.labels], groups):
            image = batch.column(columns.image)
            paths: list[Any] = [None] * len(image)
            if pa.types.is_struct(image.type):
                parts = dict(zip([field.name for field in image.type], image.flatten(), strict=True))
                image = parts["bytes"]
                if "path" in parts:
                    paths = parts["path"].to_pylist()
            labels = zip(*(_plain(batch.column(column)) for column in columns.labels), strict=True)
            for data, path, values in zip(image.to_pylist(), paths, labels, strict=True):
                yield row, data, path if isinstance(path, str) else None, values
                row += 1
        if groups is None and row != shard.rows:
            raise invalid("The Parquet file holds another number of rows than it says.", shard.name)


def _fit_for_a_name(path: str, limits: Limits) -> bool:
    return not has_bad_character(path) and len(path.encode()) <= limits.name_bytes
