"""Which sample each row of a table speaks of, by index or by name; knows columns, not what they say.

Shape letters: R rows of the table, N samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from posixpath import commonpath

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from worker.ingest.names import shown
from worker.ingest.sheets import Sheet

INDEX_COLUMNS = ("index", "sample_index")
NAME_COLUMNS = ("name", "file_name", "filename", "file", "path", "image")
KEY_COLUMNS = (*INDEX_COLUMNS, *NAME_COLUMNS)
"""Columns that say which sample a row is about, in lower case; an index goes before a name."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be used."""

    where: str
    code: str
    message: str

    def error(self, hint: str = "") -> BadInput:
        """The same, raised."""
        return BadInput(self.code, self.message, hint=hint, item=self.where)


@dataclass(frozen=True, slots=True)
class Placed:
    """The sample of each row (R,), −1 where `problems` says why there is none; `by` names the column, None is the order."""

    index_R: NDArray[np.int64]
    by: str | None
    problems: list[Problem]


def placed(sheet: Sheet, names_N: Sequence[str]) -> Placed:
    """Match the rows of a sheet with the samples called `names_N`.

    Names may leave out the folder that all samples lie in. Without an index or a name column row r is sample r. Problems: SAMPLE_UNKNOWN, NAME_AMBIGUOUS (several samples
    have it), DUPLICATE_SAMPLE (an earlier row has spoken of it).
    """
    by_case = {name.casefold(): name for name in reversed(sheet.table.column_names)}
    key = next((by_case[name] for name in KEY_COLUMNS if name in by_case), None)
    rows = sheet.table.num_rows
    if key is None:
        return Placed(np.arange(rows), None, [])
    cells: list[str | None] = sheet.table.column(key).cast(pa.string()).to_pylist()
    wheres = (sheet.line(row) for row in range(rows))
    if key.casefold() in INDEX_COLUMNS:
        return _by(key, (_whole(cell, len(names_N)) for cell in cells), cells, wheres)
    first: dict[str, int] = {}
    for index, name in enumerate(names_N):
        first[name] = _AMBIGUOUS if name in first else index
    # A folder that everything was packed in is part of no name that people wrote down before.
    root = commonpath([name.rpartition("/")[0] for name in (min(names_N), max(names_N))]) if first else ""
    if root:
        first = {name.removeprefix(f"{root}/"): index for name, index in first.items()} | first
    return _by(key, (first.get(_undone(cell, first), _UNKNOWN) for cell in cells), cells, wheres)


def complete(found: Placed, samples: int, what: str) -> NDArray[np.int64]:
    """The row (N,) of each sample; raises the first problem, and LABEL_COUNT unless every sample has one."""
    if found.problems:
        raise found.problems[0].error(hint=f"{what} must name each sample of the dataset once.")
    if len(found.index_R) != samples:
        raise count_differs(what, samples, len(found.index_R))
    row_N = np.empty(samples, dtype=np.int64)
    row_N[found.index_R] = np.arange(samples)
    return row_N


def count_differs(what: str, samples: int, found: int) -> BadInput:
    """What a file with rows for more or fewer samples than the dataset has gets."""
    return BadInput(
        "LABEL_COUNT",
        f"{what} must have one row for each sample of the dataset.",
        hint="Rows follow the sample index, or a column index or name says which sample each is.",
        limit=samples,
        found=found,
    )


_UNKNOWN, _AMBIGUOUS = -1, -2


def _by(key: str, indices: Iterable[int], cells: Sequence[str | None], wheres: Iterable[str]) -> Placed:
    index_R = np.fromiter(indices, dtype=np.int64, count=len(cells))
    problems, seen = [], set[int]()
    for row, (index, where) in enumerate(zip(index_R.tolist(), wheres, strict=True)):
        name = shown(str(cells[row]))
        if index == _UNKNOWN:
            problems.append(
                Problem(where, "SAMPLE_UNKNOWN", f"The dataset has no sample with the {key} “{name}”.")
            )
        elif index == _AMBIGUOUS:
            problems.append(
                Problem(where, "NAME_AMBIGUOUS", f"Several samples are called “{name}”: name them by index.")
            )
        elif index in seen:
            problems.append(Problem(where, "DUPLICATE_SAMPLE", f"An earlier row is about “{name}” already."))
            index_R[row] = _UNKNOWN
        else:
            seen.add(index)
    return Placed(np.maximum(index_R, _UNKNOWN), key, problems)


def _whole(cell: str | None, samples: int) -> int:
    """The index that a cell says, −1 where it says none of the dataset."""
    text = (cell or "").strip().removesuffix(".0")
    return (
        int(text)
        if text.isascii() and text.isdecimal() and len(text) < 10 and int(text) < samples
        else _UNKNOWN
    )


def _undone(cell: str | None, known: dict[str, int]) -> str:
    """The name that a cell stands for: our own CSV writes an apostrophe before what looks like a formula."""
    text = cell or ""
    return text.removeprefix("'") if text not in known else text
