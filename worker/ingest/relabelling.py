"""New labels for samples that are there already, from a table; knows tables, not where labels are kept.

Shape letters: N samples, R rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.settings import Limits
from worker.ingest.annotations import NONE, is_missing, labels_of
from worker.ingest.listed import check_class_names
from worker.ingest.names import natural_key, shown
from worker.ingest.rows import KEY_COLUMNS, count_differs, placed
from worker.ingest.sheets import read_sheet

HINT = (
    "Correct it, or say that new classes are meant: “Labels that are no class yet become classes” in the browser, "
    "--new-classes on the command line."
)
LABEL_COLUMNS = ("label", "cleaned_label", "new_label", "given_label")


class Labels(NamedTuple):
    """A label (N,) for each sample, and the classes that they are numbers of."""

    label_N: NDArray[np.int32]
    classes: list[str]


def read_labels(
    path: Path,
    *,
    names_N: Sequence[str],
    classes: Sequence[str],
    given_N: NDArray[np.int32],
    limits: Limits,
    new_classes: bool = False,
) -> Labels:
    """The labels that a table gives; samples without a row, or with an empty cell, keep `given_N`.

    The column is called label, cleaned_label, new_label or given_label, or is the only one beside index or name. With
    `new_classes` a label that is none becomes one, at the end of the list. Raises BadInput LABEL_MISSING, LABEL_UNKNOWN with the line, LABEL_COUNT, SAMPLE_UNKNOWN, DUPLICATE_SAMPLE, NAME_AMBIGUOUS, and
    what `read_sheet` raises.
    """
    sheet = read_sheet(path, limits, as_text=None)
    others = {
        name.casefold(): name for name in sheet.table.column_names if name.casefold() not in KEY_COLUMNS
    }
    column = next((others[name] for name in LABEL_COLUMNS if name in others), None)
    if column is None and len(others) == 1:
        column = next(iter(others.values()))
    if column is None:
        raise BadInput(
            "LABEL_MISSING",
            "The table has no column of labels.",
            hint="Call it label.",
            found=shown(", ".join(sheet.table.column_names)),
        )
    found = placed(sheet, names_N)
    if found.problems:
        raise found.problems[0].error()
    if found.by is None and len(found.index_R) != len(names_N):
        raise count_differs("Labels", len(names_N), len(found.index_R))
    numbered = len(classes)
    if new_classes:
        classes = [*classes, *_new_among(sheet.words(column), classes)]
        check_class_names(classes, limits)
    label_R = labels_of(sheet, column, classes, numbered=numbered, hint=HINT)
    label_N = given_N.copy()
    said_R = label_R != NONE
    label_N[found.index_R[said_R]] = label_R[said_R]
    return Labels(label_N, list(classes))


def _new_among(cells: pa.ChunkedArray, classes: Sequence[str]) -> list[str]:
    """Labels that are neither classes nor their numbers. A number is none, unless all classes are numbers."""
    said = pc.unique(cells).to_pylist()
    known = {*classes, *map(str, range(len(classes)))}
    numbered = all(map(str.isdecimal, classes))
    new = [word for word in said if word not in known and not is_missing(word)]
    return sorted((word for word in new if numbered or not word.isdecimal()), key=natural_key)
