"""A CSV or Parquet file of plain columns as one table; knows bytes and columns, not what they mean."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.names import PICKLE_SUFFIXES, shown
from worker.ingest.parquet_schema import invalid

PICKLE_MAGIC = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
MOST_COLUMNS = 20_000
"""More than there may be classes."""
_DELIMITERS = ",;\t|"
_WIDE_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table, and which line of the file its first row is: CSV counts lines from 1, Parquet rows from 0."""

    table: pa.Table
    first_line: int
    has_header: bool = True

    def line(self, row: int) -> str:
        """Where people find this row."""
        return f"{'line' if self.first_line else 'row'} {row + self.first_line}"


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


def read_sheet(path: Path, limits: Limits, *, as_text: Collection[str] | None) -> Sheet:
    """All columns of a CSV (comma, semicolon, tab or bar) or Parquet file.

    `as_text` names the columns (without regard to case) that are read as they are written, None stands for all;
    the others become what they look like. A CSV whose first line holds numbers alone has no header, and its columns
    are then called 0, 1, …. Raises BadInput CSV_PARSE with the line, PARQUET_INVALID, LIMIT_EXCEEDED, PICKLE_REFUSED.
    """
    magic = check_file(path, limits)
    if magic.startswith(b"PAR1") or path.suffix.casefold() == ".parquet":
        return _parquet(path, limits, as_text)
    return _csv(path.read_bytes(), as_text)


def _parquet(path: Path, limits: Limits, as_text: Collection[str] | None) -> Sheet:
    try:
        with pq.ParquetFile(path) as file:
            _check_width(len(file.schema_arrow.names))
            size = sum(
                file.metadata.row_group(n).total_byte_size for n in range(file.metadata.num_row_groups)
            )
            if size > limits.expanded_bytes:
                raise BadInput(
                    "LIMIT_EXCEEDED", "The columns are too large.", limit=limits.expanded_bytes, found=size
                )
            table = file.read()
            table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise invalid("The Parquet file is damaged or holds something that is not Parquet.") from error
    if len(set(table.column_names)) != len(table.column_names):
        raise invalid("Two columns of the Parquet file have the same name.")
    for position, field in enumerate(table.schema):
        if as_text is not None and field.name.casefold() not in as_text:
            continue
        try:
            table = table.set_column(position, field.name, table.column(position).cast(pa.string()))
        except pa.ArrowException as error:
            raise invalid(f"The column {shown(field.name)} holds neither words nor numbers.") from error
    return Sheet(table, first_line=0)


def _csv(data: bytes, as_text: Collection[str] | None) -> Sheet:
    if data.startswith(_WIDE_ENCODINGS):
        raise _broken("The text is UTF-16.", 1, hint="Save it as UTF-8.")
    data = data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n")
    if (place := data.find(b"\0")) >= 0:
        raise _broken("The text holds a NUL character.", data.count(b"\n", 0, place) + 1)
    try:
        first = data.partition(b"\n")[0].rstrip(b"\r").decode()
    except UnicodeDecodeError as error:
        raise _broken("The text is not UTF-8.", 1, hint="Save it as UTF-8.") from error
    delimiter = max(_DELIMITERS, key=first.count)
    header = next(csv.reader(io.StringIO(first), delimiter=delimiter), [])
    _check_width(len(header))
    has_header = not all(_is_number(cell) for cell in header) or header == [
        str(n) for n in range(len(header))
    ]
    names = [cell.strip() for cell in header] if has_header else [str(n) for n in range(len(header))]
    twice = (
        next((name for name in names if names.count(name) > 1), None)
        if len(set(names)) < len(names)
        else None
    )
    if twice is not None:
        raise _broken(f"The column {shown(twice)} is there twice.", 1)
    broken: list[tuple[int, int, int]] = []

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        broken.append((row.number or 0, row.expected_columns, row.actual_columns))
        return "error"

    try:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(data),
            # One thread: rows are counted only then.
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, column_names=names, skip_rows=int(has_header), block_size=1 << 24
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, ignore_empty_lines=False, invalid_row_handler=refuse
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={
                    name: pa.string() for name in names if as_text is None or name.casefold() in as_text
                },
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError) as error:
        if broken:
            line, expected, found = broken[0]
            raise BadInput(
                "CSV_PARSE",
                f"Line {line} has another number of cells than the first one.",
                hint="Every line must have one cell for each column.",
                item=f"line {line}",
                limit=expected,
                found=found,
            ) from error
        raise _broken("The text cannot be read as CSV.", _undecodable(data)) from error
    return Sheet(table, first_line=1 + has_header, has_header=has_header)


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
        if not _is_number(str(cell)):
            return row, shown(str(cell))
    return 0, ""


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_width(columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise BadInput("LIMIT_EXCEEDED", "The table has too many columns.", limit=MOST_COLUMNS, found=columns)


def _undecodable(data: bytes) -> int:
    """The line of the first byte that is no UTF-8, 1 where all are."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return 1


def _broken(message: str, line: int, hint: str = "Correct it, then send the file again.") -> BadInput:
    return BadInput("CSV_PARSE", message, hint=hint, item=f"line {line}")
