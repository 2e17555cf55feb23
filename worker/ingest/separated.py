"""The bytes of a CSV file as one Arrow table; knows separators, headers and lines, not what a table means."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

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
    """The table, the line on which each of its rows begins (R,), counted from 1, and whether it has a header."""

    table: pa.Table
    line_R: NDArray[np.int64]
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
            number = ragged[0].number or 1
            line = before + _begins(data, delimiter, number)[number - 1]
            raise BadInput(
                "CSV_PARSE",
                f"Line {line} has another number of cells than the first one.",
                hint="Every line must have one cell for each column.",
                item=in_file(name, line),
                limit=ragged[0].expected_columns,
                found=ragged[0].actual_columns,
            ) from error
        raise _broken("The text cannot be read as CSV.", name, before + 1) from error
    rows = table.num_rows + has_header
    begin_R = np.array(_begins(data, delimiter, rows), dtype=np.int64) + before
    table, kept_R = _without_blank(table)
    return Separated(table, begin_R[int(has_header) :][kept_R], has_header)


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


def _begins(data: bytes, delimiter: str, rows: int) -> Sequence[int]:
    """The line on which each of the first rows begins: not each its own where quotation marks hold a line break."""
    if b'"' not in data or data.count(b"\n") + 1 == rows:
        return range(1, rows + 1)
    lines = csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter)
    begins = [1]
    try:
        for _ in lines:
            begins.append(lines.line_num + 1)
            if len(begins) > rows:
                break
    except csv.Error:  # a cell of more than 128 KiB: no line that people go to
        pass
    return begins[:rows] if len(begins) >= rows else range(1, rows + 1)


def _without_blank(table: pa.Table) -> tuple[pa.Table, NDArray[np.bool_]]:
    """The table without the rows in which no cell holds anything, and which are left; a single column may have gaps."""
    every_R = np.ones(table.num_rows, dtype=np.bool_)
    if table.num_columns < 2 or not table.num_rows:
        return table, every_R
    blank_R = np.ones(table.num_rows, dtype=np.bool_)
    for column in table.columns:
        is_text = pa.types.is_string(column.type)
        blank_R &= (pc.equal(column, "") if is_text else pc.is_null(column)).to_numpy()
        if not blank_R.any():
            return table, every_R
    return table.filter(pa.array(~blank_R)), ~blank_R


def _broken(
    message: str, name: str, line: int, hint: str = "Correct it, then send the file again."
) -> BadInput:
    return BadInput("CSV_PARSE", message, hint=hint, item=in_file(name, line))
