"""A CSV, JSON Lines or Parquet file of plain columns as one table; knows bytes and columns, not what they mean.

Shape letters: R rows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest import strict_json
from worker.ingest.members import PARQUET_SUFFIX, Reader
from worker.ingest.names import PICKLE_SUFFIXES, in_file, shown
from worker.ingest.parquet_table import read_apart, read_parquet, texts
from worker.ingest.separated import check_width, is_number, read_separated

PICKLE_MAGIC = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
CSV_SUFFIXES = (".csv", ".tsv")
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson")
TABLE_SUFFIXES = (*CSV_SUFFIXES, *JSON_LINES_SUFFIXES, PARQUET_SUFFIX)
_WHOLE_AS_FLOAT = r"^-?[0-9]+\.0$"
_MOST_CELLS = 20_000_000
"""Of JSON Lines, where each line may bring a column of its own: as many as a million rows of twenty."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table, and what it is called; `line_R`: the line (from 1) of each row, None where there are only rows (from 0)."""

    table: pa.Table
    line_R: NDArray[np.int64] | None = None
    has_header: bool = True
    name: str = ""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def header(self) -> list[str]:
        """The columns' names."""
        return list(self.table.column_names)

    def line(self, row: int) -> str:
        """Where people find this row."""
        return f"row {row}" if self.line_R is None else f"line {self.line_R[row]}"

    def words(self, column: str) -> pa.ChunkedArray:
        """The cells (R,) of a text column without space around them, empty where there is nothing.

        Where all that is written are whole numbers as 3.0, they are 3: a spreadsheet with a gap among them writes so.
        """
        cells = pc.utf8_trim_whitespace(pc.fill_null(self.table.column(column), ""))
        floats = pc.match_substring_regex(cells, _WHOLE_AS_FLOAT)
        if pc.all(pc.or_(floats, pc.equal(cells, ""))).as_py() and pc.any(floats).as_py():
            return pc.replace_substring_regex(cells, r"\.0$", "")
        return cells

    def cells(self, column: str) -> list[str | None]:
        """The same, None where there is nothing."""
        return [cell or None for cell in self.words(column).to_pylist()]


def check_file(path: Path, limits: Limits) -> bytes:
    """The first bytes of a file that may be opened; raises BadInput FILE_EMPTY, LIMIT_EXCEEDED or PICKLE_REFUSED."""
    size = path.stat().st_size
    if size == 0:
        raise BadInput("FILE_EMPTY", "The file is empty.", hint="Write it again.")
    if size > limits.upload_bytes:
        raise BadInput("LIMIT_EXCEEDED", "The file is too large.", limit=limits.upload_bytes, found=size)
    with path.open("rb") as file:
        magic = file.read(8)
    if magic.startswith(PICKLE_MAGIC) or path.suffix.casefold() in PICKLE_SUFFIXES:
        raise pickle_refused()
    return magic


def pickle_refused() -> BadInput:
    """What a file that could run code gets."""
    return BadInput(
        "PICKLE_REFUSED",
        "Pickled files can run code when they are opened, so they never are.",
        hint="Save the array with numpy.save or numpy.savez, or as CSV or Parquet.",
    )


def read_sheet(path: Path, limits: Limits, *, as_text: Collection[str] | None, apart: bool = False) -> Sheet:
    """All columns of a file that was sent alone.

    `as_text` names the columns (without regard to case) that are read as they are written, None stands for all; the
    others become what they look like. Where all are text, columns of something else than words and numbers are left
    out. `apart` reads Parquet in a process of its own, for a caller that must outlive it. Raises BadInput CSV_PARSE and JSON_INVALID with the line, PARQUET_INVALID, LIMIT_EXCEEDED, PICKLE_REFUSED.
    """
    magic, suffix = check_file(path, limits), path.suffix.casefold()
    if magic.startswith(b"PAR1") or suffix == PARQUET_SUFFIX:
        read = read_apart if apart else read_parquet
        return Sheet(read(path, limits.expanded_bytes, as_text))
    return _of_text(path.read_bytes(), suffix, "", as_text)


def read_table(reader: Reader, name: str, limits: Limits) -> Sheet:
    """The table of a member, all its columns as text; raises as `read_sheet`, and LIMIT_EXCEEDED for too many rows."""
    suffix = f".{name.casefold().rsplit('.', 1)[-1]}"
    if suffix == PARQUET_SUFFIX:
        with reader.open(name) as file:
            sheet = Sheet(read_parquet(file, limits.expanded_bytes, None, name), name=name)
    else:
        sheet = _of_text(reader.read(name), suffix, name, None)
    if not sheet.has_header:
        raise BadInput(
            "CSV_PARSE",
            "The first line is no header.",
            hint="Name the columns in the first line.",
            item=in_file(name, 1),
        )
    if len(sheet) > limits.members:
        raise BadInput(
            "LIMIT_EXCEEDED",
            "The table has too many rows.",
            item=shown(name),
            limit=limits.members,
            found=len(sheet),
        )
    return sheet


def _of_text(data: bytes, suffix: str, name: str, as_text: Collection[str] | None) -> Sheet:
    if suffix in JSON_LINES_SUFFIXES:
        table, line_R = _json_lines(data, name)
        return Sheet(texts(table, as_text, name), line_R, name=name)
    read = read_separated(data, as_text, name)
    return Sheet(read.table, read.line_R, read.has_header, name)


def _json_lines(data: bytes, name: str) -> tuple[pa.Table, NDArray[np.int64]]:
    """A row for each object, a column for each key, and the line of each row."""
    columns: dict[str, list[Any]] = {}
    line_R: list[int] = []
    rows = 0
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        one = strict_json.loads(line, name, number)
        if not isinstance(one, dict):
            raise BadInput("JSON_INVALID", "A line is no object.", item=in_file(name, number))
        for key, value in one.items():
            columns.setdefault(key, [None] * rows).append(value)
        rows += 1
        line_R.append(number)
        for cells in columns.values():
            if len(cells) < rows:
                cells.append(None)
        check_width(len(columns))
        if rows * len(columns) > _MOST_CELLS:
            raise BadInput(
                "LIMIT_EXCEEDED",
                "The table has too many cells.",
                item=in_file(name, number),
                limit=_MOST_CELLS,
            )
    return pa.table({key: _column(cells) for key, cells in columns.items()}), np.array(line_R, dtype=np.int64)


def _column(cells: list[Any]) -> pa.Array:
    """Numbers as numbers where all are; else words, and nothing for what is nested."""
    try:
        return pa.array(cells)
    except (pa.ArrowException, OverflowError, UnicodeError):
        return pa.array([_written(cell) for cell in cells], pa.string())


def _written(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        return None
    # Half of a surrogate pair is a letter to JSON, and to nobody else.
    return str(value).encode(errors="replace").decode()


def numbers(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The column as float64 with NaN for what is missing; None when it holds something else than numbers."""
    kind = column.type
    if (
        pa.types.is_null(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    ):
        return pc.fill_null(column.cast(pa.float64()), float("nan"))
    return None


def first_word(column: pa.ChunkedArray) -> tuple[int, str]:
    """The first cell of a column of words that is no number, with its row."""
    for row, cell in enumerate(column.to_pylist()):
        if not is_number(str(cell)):
            return row, shown(str(cell))
    return 0, ""
