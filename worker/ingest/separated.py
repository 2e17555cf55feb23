"""The bytes of a CSV file as one Arrow table; knows separators, headers and lines, not what a table means."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from backend.audit.errors import BadInput
from worker.ingest.names import in_file, shown

MOST_COLUMNS = 20_000
"""More than there may be classes."""
_DELIMITERS = ",;\t|"
_WIDE_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")
_MARK = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")
_BLOCK_BYTES = 1 << 24


class Separated(NamedTuple):
    """The table, the line of its first row, the lines from there on that hold nothing, and whether it has a header."""

    table: pa.Table
    first_line: int
    blank: tuple[int, ...]
    has_header: bool


def read_separated(data: bytes, as_text: Collection[str] | None, name: str = "") -> Separated:
    """All columns, separated by comma, semicolon, tab or bar: by what the first line has most of.

    `as_text` names the columns (without regard to case) that are read as they are written, None stands for all; the
    others become what they look like. A file whose first line holds numbers alone has no header, and its columns are
    then called 0, 1, …. Raises BadInput CSV_PARSE with the line (of `name`, where it is one file of several).
    """
    if data.startswith(_WIDE_ENCODINGS):
        raise _broken("The text is UTF-16.", name, 1, hint="Save it as UTF-8.")
    data = data.removeprefix(_MARK).rstrip(b"\r\n")
    if (place := data.find(b"\0")) >= 0:
        raise _broken("The text holds a NUL character.", name, data.count(b"\n", 0, place) + 1)
    _check_text(data, name)
    whole, data = data, data.lstrip(b"\r\n")
    before = whole.count(b"\n", 0, len(whole) - len(data))
    header, delimiter = _first_line(data, name, before + 1)
    has_header = not all(is_number(cell) for cell in header) or header == [
        str(place) for place in range(len(header))
    ]
    names = [cell.strip() for cell in header] if has_header else [str(place) for place in range(len(header))]
    if len(names) > MOST_COLUMNS:
        raise BadInput(
            "LIMIT_EXCEEDED", "The table has too many columns.", limit=MOST_COLUMNS, found=len(names)
        )
    twice = next((column for column, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise _broken(f"The column {shown(twice)} is there twice.", name, before + 1)
    if data.count(b'"') % 2:
        _check_quotes(data, delimiter, name, before)
    ragged: list[pyarrow.csv.InvalidRow] = []

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    try:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(data),
            # One thread: rows are counted only then.
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, column_names=names, skip_rows=int(has_header), block_size=_BLOCK_BYTES
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, ignore_empty_lines=False, invalid_row_handler=refuse
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={
                    column: pa.string() for column in names if as_text is None or column.casefold() in as_text
                },
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowException as error:
        if ragged:
            line = before + (ragged[0].number or 0)
            raise BadInput(
                "CSV_PARSE",
                f"Line {line} has another number of cells than the first one.",
                hint="Every line must have one cell for each column.",
                item=in_file(name, line),
                limit=ragged[0].expected_columns,
                found=ragged[0].actual_columns,
            ) from error
        raise _broken("The text cannot be read as CSV.", name, before + 1) from error
    first = before + 1 + has_header
    table, blank = _without_blank(table)
    return Separated(table, first, tuple(first + row for row in blank), has_header)


def check_width(columns: int) -> None:
    """Raises BadInput LIMIT_EXCEEDED."""
    if columns > MOST_COLUMNS:
        raise BadInput("LIMIT_EXCEEDED", "The table has too many columns.", limit=MOST_COLUMNS, found=columns)


def is_number(cell: str) -> bool:
    """Whether a cell's text is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_text(data: bytes, name: str) -> None:
    """Raises BadInput with the line of the first byte that is no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for begin in range(0, len(data), _BLOCK_BYTES):
        try:
            decoder.decode(data[begin : begin + _BLOCK_BYTES], final=begin + _BLOCK_BYTES >= len(data))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, begin + error.start) + 1
            raise _broken("The text is not UTF-8.", name, line, hint="Save it as UTF-8.") from error


def _first_line(data: bytes, name: str, line: int) -> tuple[list[str], str]:
    """Its cells, and what separates them; spreadsheets write semicolons in half of the world."""
    first = _LINE_END.split(data, maxsplit=1)[0].decode()
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        return next(csv.reader(io.StringIO(first), delimiter=delimiter), []), delimiter
    except csv.Error as error:
        raise _broken("The first line cannot be read.", name, line) from error


def _check_quotes(data: bytes, delimiter: str, name: str, before: int) -> None:
    """Raises BadInput where a quotation mark is opened and never closed: the rest of the file would be one cell."""
    lines = csv.reader(
        io.StringIO(data.decode(errors="replace"), newline=""), delimiter=delimiter, strict=True
    )
    begins = 1
    try:
        for _ in lines:
            begins = lines.line_num + 1
    except csv.Error as error:
        raise _broken("A quotation mark is not closed.", name, before + begins) from error


def _without_blank(table: pa.Table) -> tuple[pa.Table, list[int]]:
    """The table without the rows in which no cell holds anything, and which those were; a single column may have gaps."""
    if table.num_columns < 2 or not table.num_rows:
        return table, []
    blank_R = np.ones(table.num_rows, dtype=np.bool_)
    for column in table.columns:
        is_text = pa.types.is_string(column.type)
        blank_R &= (pc.equal(column, "") if is_text else pc.is_null(column)).to_numpy()
        if not blank_R.any():
            return table, []
    return table.filter(pa.array(~blank_R)), np.flatnonzero(blank_R).tolist()


def _broken(
    message: str, name: str, line: int, hint: str = "Correct it, then send the file again."
) -> BadInput:
    return BadInput("CSV_PARSE", message, hint=hint, item=in_file(name, line))
