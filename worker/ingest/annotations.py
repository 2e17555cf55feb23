"""Several people's labels of the samples from a table with a column for each; knows tables, not what the labels say.

Shape letters: N samples, R rows, A annotators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.names import shown
from worker.ingest.rows import KEY_COLUMNS, count_differs, placed
from worker.ingest.sheets import Sheet, read_sheet

MOST_ANNOTATORS = 200
NONE = -1
_MISSING = ("", "-1", "na", "n/a", "nan", "none", "null", "?")


@dataclass(frozen=True, slots=True)
class Annotations:
    """Class indices int32 (N, A), −1 where an annotator gave none, and the annotators' names."""

    label_NA: NDArray[np.int32]
    annotators: list[str]


def read_annotations(
    path: Path, *, names_N: Sequence[str], classes: Sequence[str], limits: Limits, apart: bool = False
) -> Annotations:
    """The labels of a CSV, JSON Lines or Parquet file: a column index or name, and a column for each annotator.

    Cells are names of classes, or their numbers where no class is called so; empty ones are no label. Samples without
    a row have no labels; without an index or name column every sample needs its row. Raises BadInput LABEL_UNKNOWN with the line,
    LABEL_MISSING (no column of labels), LABEL_COUNT, SAMPLE_UNKNOWN, DUPLICATE_SAMPLE, NAME_AMBIGUOUS, LIMIT_EXCEEDED, and what
    `read_sheet` raises.
    """
    sheet = read_sheet(path, limits, as_text=None, apart=apart)
    annotators = [name for name in sheet.table.column_names if name.casefold() not in KEY_COLUMNS]
    if not annotators:
        raise BadInput(
            "LABEL_MISSING",
            "The table has no column of labels.",
            hint="Each annotator's labels are a column.",
        )
    if len(annotators) > MOST_ANNOTATORS:
        raise BadInput(
            "LIMIT_EXCEEDED", "The table has too many columns.", limit=MOST_ANNOTATORS, found=len(annotators)
        )
    found = placed(sheet, names_N)
    if found.problems:
        raise found.problems[0].error()
    if found.by is None and len(found.index_R) != len(names_N):
        raise count_differs("Labels", len(names_N), len(found.index_R))
    label_NA = np.full((len(names_N), len(annotators)), NONE, dtype=np.int32)
    for place, name in enumerate(annotators):
        label_NA[found.index_R, place] = labels_of(sheet, name, classes)
    return Annotations(label_NA, annotators)


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no label."""
    return cell.lower() in _MISSING


def labels_of(
    sheet: Sheet, column: str, classes: Sequence[str], *, numbered: int | None = None, hint: str = ""
) -> NDArray[np.int32]:
    """The class index (R,) of each cell, −1 where it is empty. Raises BadInput LABEL_UNKNOWN with the line.

    Of the classes the first `numbered` (all when None) may be called by their numbers.
    """
    cells = sheet.words(column)
    label_R = _index_in(cells, list(classes))
    numbers = [str(label) for label in range(len(classes) if numbered is None else numbered)]
    if (label_R == NONE).all() or not set(numbers) & set(classes):
        by_number_R = _index_in(cells, numbers)
        label_R = np.where(label_R == NONE, by_number_R, label_R)
    empty_R = pc.is_in(pc.utf8_lower(cells), value_set=pa.array(_MISSING)).to_numpy()
    unknown_R = (label_R == NONE) & ~empty_R
    if unknown_R.any():
        row = int(unknown_R.argmax())
        raise BadInput(
            "LABEL_UNKNOWN",
            f"The column {shown(column)} holds a label that is none of the dataset's classes.",
            hint=hint,
            item=sheet.line(row),
            limit=shown(", ".join(classes[:20])),
            found=shown(str(cells[row])),
        )
    return label_R


def _index_in(cells: pa.ChunkedArray, words: list[str]) -> NDArray[np.int32]:
    found = pc.fill_null(pc.index_in(cells, value_set=pa.array(words)), NONE)
    index_R: NDArray[np.int32] = found.to_numpy().astype(np.int32)
    return index_R
