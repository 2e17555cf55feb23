"""Decisions from a table with a column decision, label, or both; knows tables, not where decisions are kept.

Shape letters: N samples, R rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.audit.errors import BadInput
from backend.audit.importing import LABEL_COLUMNS, VERDICT_COLUMNS, Item, Wrong, decided
from backend.settings import Limits
from worker.ingest.names import shown
from worker.ingest.rows import placed
from worker.ingest.sheets import Sheet, read_sheet


class DecisionsTable(NamedTuple):
    """The decisions of a table of so many rows, and the rows that say none, with the reason; both in their order."""

    rows: int
    items: list[Item]
    wrong: list[Wrong]


def read_decisions(
    path: Path,
    *,
    names_N: Sequence[str],
    classes: Sequence[str],
    given_N: NDArray[np.int32],
    limits: Limits,
    apart: bool = False,
) -> DecisionsTable:
    """What each row decides; an error of a row is listed. Raises BadInput COLUMN_MISSING, and what `read_sheet` raises."""
    sheet = read_sheet(path, limits, as_text=None, apart=apart)
    found = placed(sheet, names_N)
    if found.by is None:
        raise BadInput(
            "COLUMN_MISSING",
            "The table does not say which samples it is about.",
            hint="It needs a column index or name.",
            found=shown(", ".join(sheet.table.column_names)),
        )
    verdicts, labels = _cells(sheet, VERDICT_COLUMNS), _cells(sheet, LABEL_COLUMNS)
    if verdicts is None and labels is None:
        raise BadInput(
            "COLUMN_MISSING",
            "The table holds no decisions.",
            hint="It needs a column decision (keep, relabel, remove, unsure), or label, or both.",
            found=shown(", ".join(sheet.table.column_names)),
        )
    rows = sheet.table.num_rows
    class_of = {name: label for label, name in reversed(list(enumerate(classes)))}
    verdict_R: Sequence[str | None] = [None] * rows if verdicts is None else verdicts
    items, wrong = [], [Wrong(each.where, each.code, each.message) for each in found.problems]
    for row, (index, verdict, label) in enumerate(
        zip(found.index_R.tolist(), verdict_R, labels or [""] * rows, strict=True)
    ):
        if index < 0:
            continue
        said = decided(index, sheet.line(row), verdict, label, int(given_N[index]), class_of)
        if isinstance(said, Item):
            items.append(said)
        elif said is not None:
            wrong.append(said)
    # In the order of the lines: the number is the last word of where they are.
    return DecisionsTable(rows, items, sorted(wrong, key=lambda each: int(each.where.split()[-1])))


def _cells(sheet: Sheet, names: tuple[str, ...]) -> list[str] | None:
    by_case = {name.casefold(): name for name in reversed(sheet.table.column_names)}
    column = next((by_case[name] for name in names if name in by_case), None)
    return None if column is None else list(sheet.words(column).to_pylist())
