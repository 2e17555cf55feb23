"""CSV, JSON Lines and Parquet files as tables of text; knows no images and no labels."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest import strict_json
from worker.ingest.members import PARQUET_SUFFIX, Reader
from worker.ingest.names import shown
from worker.ingest.parquet_schema import MALFORMED, invalid

CSV_SUFFIXES = (".csv", ".tsv")
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson")
TABLE_SUFFIXES = (*CSV_SUFFIXES, *JSON_LINES_SUFFIXES, PARQUET_SUFFIX)
_COLUMNS = 1000
_FLOAT_OF_WHOLE = re.compile(r"-?[0-9]+\.0")
_CELL_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class Table:
    """A table's header and its rows, cells as text, None where there is nothing."""

    name: str
    header: list[str]
    rows: list[list[str | None]]

    def column(self, name: str) -> list[str | None]:
        """One column's cells; whole numbers that were written as 3.0 are 3."""
        place = self.header.index(name)
        cells = [row[place] for row in self.rows]
        if all(cell is None or _FLOAT_OF_WHOLE.fullmatch(cell) for cell in cells):
            return [None if cell is None else cell[:-2] for cell in cells]
        return cells


def read_table(reader: Reader, name: str, limits: Limits) -> Table:
    """The table of a member; raises BadInput CSV_PARSE, JSON_INVALID, PARQUET_INVALID or LIMIT_EXCEEDED."""
    folded = name.casefold()
    if folded.endswith(PARQUET_SUFFIX):
        with reader.open(name) as file:
            table = _parquet(file, name, limits)
    elif folded.endswith(JSON_LINES_SUFFIXES):
        table = _json_lines(reader.read(name), name, limits)
    else:
        table = _csv(reader.read(name), name, limits)
    return table


def _csv(data: bytes, name: str, limits: Limits) -> Table:
    text = _text(data, name)
    first = text.split("\n", 1)[0]
    # The separator that the header has most of; spreadsheets write semicolons in half of the world.
    delimiter = max(",;\t", key=lambda sign: (first.count(sign), sign == ","))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str | None]] = []
    header: list[str] = []
    try:
        for cells in lines:
            if not cells:
                continue
            if not header:
                header = _header(cells, name)
                continue
            if len(cells) != len(header):
                raise _unparsed("A row has another number of cells than the header.", name, lines.line_num)
            rows.append([_cell(cell, name, lines.line_num) for cell in cells])
            _check_rows(len(rows), limits)
    except csv.Error as error:
        raise _unparsed("A row cannot be read.", name, lines.line_num) from error
    if not header:
        raise _unparsed("The table is empty.", name, 1)
    return Table(name, header, rows)


def _text(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _unparsed("The table is UTF-16, not UTF-8.", name, 1)
    if b"\0" in data:
        raise _unparsed("The table holds a NUL character.", name, data[: data.index(b"\0")].count(b"\n") + 1)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _unparsed("The table is not UTF-8 text.", name, line) from error


def _header(cells: Sequence[str], name: str) -> list[str]:
    header = [cell.strip() for cell in cells]
    if len(header) > _COLUMNS:
        raise _unparsed(f"The table has more than {_COLUMNS} columns.", name, 1)
    if len(set(header)) != len(header):
        raise _unparsed("Two columns have the same name.", name, 1)
    if header == [""] or all(cell.replace(".", "").isdigit() for cell in header):
        raise _unparsed("The first line is no header.", name, 1)
    return header


def _cell(cell: str, name: str, line: int) -> str | None:
    if len(cell) > _CELL_CHARACTERS:
        raise _unparsed(f"A cell has more than {_CELL_CHARACTERS} characters.", name, line)
    return cell.strip() or None


def _json_lines(data: bytes, name: str, limits: Limits) -> Table:
    header: dict[str, None] = {}
    found: list[dict[str, Any]] = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        one = strict_json.loads(line, name, number)
        if not isinstance(one, dict):
            raise BadInput("JSON_INVALID", "A line is no object.", item=f"{shown(name)}, line {number}")
        header.update(dict.fromkeys(one))
        found.append(one)
        _check_rows(len(found), limits)
        if len(header) > _COLUMNS:
            raise BadInput("JSON_INVALID", f"There are more than {_COLUMNS} keys.", item=shown(name))
    rows = [[_written(one.get(key)) for key in header] for one in found]
    return Table(name, list(header), rows)


def _written(value: Any) -> str | None:
    """A value as a CSV would hold it; what is nested is nothing to us."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value).strip()[:_CELL_CHARACTERS] or None
    return None


def _parquet(file: BinaryIO, name: str, limits: Limits) -> Table:
    try:
        with pq.ParquetFile(file, buffer_size=1 << 20, page_checksum_verification=True) as parquet:
            header = [field.name for field in parquet.schema_arrow if _is_plain(field.type)][:_COLUMNS]
            _check_rows(parquet.metadata.num_rows, limits)
            rows: list[list[str | None]] = []
            for batch in parquet.iter_batches(batch_size=4096, columns=header, use_threads=False):
                rows.extend(_batch_rows(batch))
                _check_rows(len(rows), limits)
    except MALFORMED as error:
        raise invalid("The Parquet file is damaged.", name) from error
    return Table(name, header, rows)


def _batch_rows(batch: pa.RecordBatch) -> Iterator[list[str | None]]:
    columns = [map(_written, column.to_pylist()) for column in batch.columns]
    return (list(cells) for cells in zip(*columns, strict=True))


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        one(kind)
        for one in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_boolean,
        )
    )


def _check_rows(count: int, limits: Limits) -> None:
    if count > limits.members:
        raise BadInput("LIMIT_EXCEEDED", "The table has too many rows.", limit=limits.members, found=count)


def _unparsed(message: str, name: str, line: int) -> BadInput:
    return BadInput(
        "CSV_PARSE",
        message,
        hint="Save the table as CSV in UTF-8 with one header line.",
        item=f"{shown(name)}, line {line}",
    )
