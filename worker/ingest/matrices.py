"""A matrix with a row for each sample from npy, npz, CSV, JSON Lines or Parquet; knows files of numbers, not what the numbers mean.

Nothing is unpickled, and no array is read before its header is believed. Shape letters: N samples, R rows, D columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.names import shown
from worker.ingest.npy_header import NotNpy, read_header
from worker.ingest.rows import KEY_COLUMNS, Placed, complete, count_differs, placed
from worker.ingest.sheets import Sheet, check_file, first_word, numbers, pickle_refused, read_sheet
from worker.ingest.zip_archive import ZipArchive

_NUMBERS = "fiu"
_NAMES_OF_COLUMNS = ("classes", "class_names")


@dataclass(frozen=True, slots=True)
class Matrix:
    """Values by sample index, float32 (N, D). `columns` are their names where the file has any, `array` is the name
    of the array in an npz, `by` the column that said which sample a row is, None where their order did."""

    value_ND: NDArray[np.float32]
    columns: list[str] | None
    array: str | None
    by: str | None


def read_matrix(
    path: Path, names_N: Sequence[str], *, arrays: Sequence[str], what: str, most_columns: int, limits: Limits
) -> Matrix:
    """The file's matrix, brought into the order of the samples called `names_N`.

    `arrays` are the names to look for in an npz, where the only matrix may be called anything; `what` names the content
    in messages. Raises BadInput NPY_REJECTED, LABEL_COUNT, PICKLE_REFUSED, LIMIT_EXCEEDED, ARCHIVE_…, CSV_PARSE,
    PARQUET_INVALID, NOT_A_NUMBER, SAMPLE_UNKNOWN, NAME_AMBIGUOUS, DUPLICATE_SAMPLE.
    """
    magic, suffix = check_file(path, limits), path.suffix.casefold()
    if magic.startswith(npy.MAGIC_PREFIX) or suffix == ".npy":
        with path.open("rb") as file:
            value_ND = _array(file, path.stat().st_size, what)
        return Matrix(_checked(value_ND, len(names_N), most_columns, what), None, None, None)
    if magic.startswith(b"PK") or suffix == ".npz":
        return _npz(path, names_N, arrays, what, most_columns, limits)
    return _sheet(read_sheet(path, limits, as_text=KEY_COLUMNS), names_N, what, most_columns)


def _npz(
    path: Path, names_N: Sequence[str], arrays: Sequence[str], what: str, most_columns: int, limits: Limits
) -> Matrix:
    # The limit of a member is that of an image; an array may be as large as all images.
    archive = ZipArchive(path, limits.model_copy(update={"member_bytes": limits.expanded_bytes}))
    if any(name.endswith("data.pkl") for name in archive.sizes):
        raise pickle_refused()
    with archive.reading() as reader:
        headers: dict[str, _Header] = {}
        for name in archive.sizes:
            if name.endswith(".npy"):
                with reader.open(name) as file:
                    headers[name.removesuffix(".npy")] = _header(file, archive.sizes[name], what)
        matrices = [name for name, header in headers.items() if len(header.shape) == 2]
        chosen = next(
            (name for name in arrays if name in matrices), matrices[0] if len(matrices) == 1 else None
        )
        if chosen is None:
            raise BadInput(
                "NPY_REJECTED",
                f"The npz holds no matrix that could be the {what.lower()}.",
                hint=f"Call it {arrays[0]}.",
                limit=", ".join(arrays),
                found=shown(", ".join(headers)) or "nothing",
            )
        with reader.open(f"{chosen}.npy") as file:
            value_RD = _array(file, archive.sizes[f"{chosen}.npy"], what)
        listed: dict[str, list[str]] = {}
        for name in (*_NAMES_OF_COLUMNS, *KEY_COLUMNS):
            if name in headers and len(headers[name].shape) == 1:
                with reader.open(f"{name}.npy") as file:
                    listed[name] = [
                        str(cell) for cell in _array(file, archive.sizes[f"{name}.npy"], what, words=True)
                    ]
    keys = {name: cells for name, cells in listed.items() if name in KEY_COLUMNS}
    if any(len(cells) != len(value_RD) for cells in keys.values()):
        raise count_differs(what, len(value_RD), min(len(cells) for cells in keys.values()))
    columns = next((listed[name] for name in _NAMES_OF_COLUMNS if name in listed), None)
    value_RD = _checked(value_RD, len(value_RD), most_columns, what)
    return _in_order(
        value_RD, columns, chosen, placed(Sheet(_table(keys, len(value_RD))), names_N), len(names_N), what
    )


def _table(keys: dict[str, list[str]], rows: int) -> pa.Table:
    """The key columns as a table of so many rows, also where there are none."""
    return pa.table(keys) if keys else pa.table({"row": np.arange(rows)})


def _sheet(sheet: Sheet, names_N: Sequence[str], what: str, most_columns: int) -> Matrix:
    table = sheet.table
    others = [name for name in table.column_names if name.casefold() not in KEY_COLUMNS]
    lists = [name for name in others if _is_list(table.schema.field(name).type)]
    found = placed(sheet, names_N)
    if len(lists) == 1:
        value_RD, columns = _of_lists(table.column(lists[0]), what), None
    else:
        read: list[NDArray[np.float32]] = []
        columns = []
        for name in others:
            column = numbers(table.column(name))
            if column is not None:
                read.append(_single(column.to_numpy()))
                columns.append(name)
            elif not _has_no_number(table.column(name)):
                row, cell = first_word(table.column(name))
                raise BadInput(
                    "NOT_A_NUMBER", f"The column {shown(name)} holds something that is no number.",
                    item=sheet.line(row), found=cell,
                )  # fmt: skip
        value_RD = np.stack(read, axis=1) if read else np.empty((table.num_rows, 0), np.float32)
    value_RD = _checked(value_RD, len(value_RD), most_columns, what)
    named = columns if sheet.has_header else None
    return _in_order(value_RD, named, None, found, len(names_N), what)


def _in_order(
    value_RD: NDArray[np.float32],
    columns: list[str] | None,
    array: str | None,
    found: Placed,
    samples: int,
    what: str,
) -> Matrix:
    row_N = complete(found, samples, what)
    return Matrix(value_RD if found.by is None else value_RD[row_N], columns, array, found.by)


def _has_no_number(column: pa.ChunkedArray) -> bool:
    """Whether a column is made of words altogether, as given labels beside predictions are."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return True
    return first_word(column)[0] == 0


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _of_lists(column: pa.ChunkedArray, what: str) -> NDArray[np.float32]:
    """A matrix from a column whose cells are lists of equally many numbers."""
    flat = numbers(pa.chunked_array([chunk.flatten() for chunk in column.chunks], column.type.value_type))
    length = len(flat) // max(len(column), 1) if flat is not None else 0
    if flat is None or not length or any(cell is None or len(cell) != length for cell in column.to_pylist()):
        raise BadInput(
            "NPY_REJECTED", f"The lists of the {what.lower()} are not equally many numbers in each row."
        )
    matrix: NDArray[np.float32] = _single(flat.to_numpy()).reshape(len(column), length)
    return matrix


class _Header(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: Literal["C", "F"]


def _header(file: BinaryIO, size: int, what: str) -> _Header:
    """What an array's header promises; the file then stands at its first value."""
    try:
        shape, fortran, dtype = read_header(file)
    except NotNpy as error:
        raise _rejected(what, "its header cannot be read") from error
    if dtype.hasobject:
        raise _rejected(what, "it holds Python objects, which could run code", str(dtype))
    if any(length < 0 for length in shape) or math.prod(shape) * dtype.itemsize != size - file.tell():
        raise _rejected(what, "its shape does not fit the file's size", str(shape))
    return _Header(shape, dtype, "F" if fortran else "C")


def _array(file: BinaryIO, size: int, what: str, *, words: bool = False) -> NDArray[Any]:
    """The array whose header stands at the file's place; with `words` it may hold text."""
    shape, dtype, order = _header(file, size, what)
    if dtype.kind not in (_NUMBERS + "U" if words else _NUMBERS):
        raise _rejected(what, "it does not hold real numbers", str(dtype))
    data = file.read()
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise _rejected(what, "the file is cut short")
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def _checked(value_RD: NDArray[Any], samples: int, most_columns: int, what: str) -> NDArray[np.float32]:
    if value_RD.ndim != 2 or not 1 <= value_RD.shape[1] <= most_columns:
        raise BadInput(
            "NPY_REJECTED",
            f"{what} must be a matrix with a row for each sample.",
            limit=f"{samples} × 1 to {most_columns}",
            found=" × ".join(map(str, value_RD.shape)),
        )
    if len(value_RD) != samples:
        raise count_differs(what, samples, len(value_RD))
    return _single(value_RD)


def _single(values: NDArray[Any]) -> NDArray[np.float32]:
    """The numbers in single precision; what is too large for it becomes infinite, which nobody accepts."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _rejected(what: str, why: str, found: str | None = None) -> BadInput:
    return BadInput(
        "NPY_REJECTED",
        f"The array of {what.lower()} is refused: {why}.",
        hint="Save it with numpy.save or numpy.savez as a plain array of numbers.",
        found=None if found is None else shown(found),
    )
