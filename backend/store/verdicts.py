"""The verdict that stands on every sample of a dataset, held in memory and brought up to date before each use.

Decisions are appended in turn (see `deciding.record`): whoever sees one of a dataset sees every one with a smaller
id. So reading those with a larger id than the last one seen misses none, in however many processes.
Shapes: N samples.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy.orm import Session

from backend.store import bulk
from backend.store.tables import VERDICTS

Codes = NDArray[np.uint8]
NAMES = ("none", *(verdict for verdict in VERDICTS if verdict != "cleared"))
"""What a code means, by its number: 0 is no decision, or one that was taken back."""
CODE = {**{name: number for number, name in enumerate(NAMES)}, "cleared": 0}


class Verdicts:
    """The standing verdicts of one dataset, or a reviewer's own ones; thread-safe. Takes one byte per sample."""

    def __init__(self, dataset_id: str, samples: int, *, reviewer: str | None = None) -> None:
        self._dataset_id, self._reviewer = dataset_id, reviewer
        self._code_N: Codes = np.zeros(samples, np.uint8)
        self._last_id = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Memory that this takes."""
        return self._code_N.nbytes

    def now(self, session: Session) -> Codes:
        """A copy (N,) of the codes after the newest committed decision.

        The session's own transaction must have appended none to this dataset: what may still be undone is
        not remembered.
        """
        with self._lock:
            rows = bulk.read(session, self._since(), [("id", "i8"), ("sample_index", "i4"), ("code", "i2")])
            if len(rows):
                # In order of id: of several on one sample the last one is kept.
                self._code_N[rows["sample_index"]] = rows["code"]
                self._last_id = int(rows["id"][-1])
            return self._code_N.copy()

    def _since(self) -> sql.Composed:
        cases = sql.SQL(" ").join(
            sql.SQL("WHEN {} THEN {}").format(sql.Literal(verdict), sql.SQL(str(code)))
            for verdict, code in CODE.items()
            if verdict != "none"
        )
        own: sql.Composable = sql.SQL("")
        if self._reviewer is not None:
            own = sql.SQL(" AND account_id = {} AND NOT adjudicates").format(sql.Literal(self._reviewer))
        return sql.SQL(
            "SELECT id, sample_index, (CASE verdict {} END)::smallint FROM decision"
            " WHERE dataset_id = {} AND id > {}{} ORDER BY id"
        ).format(cases, sql.Literal(self._dataset_id), sql.SQL(str(self._last_id)), own)


def counts(code_N: Codes) -> dict[str, int]:
    """How many samples stand at each verdict; verdicts that nobody gave are left out."""
    found = np.bincount(code_N, minlength=len(NAMES))
    return {name: int(found[code]) for code, name in enumerate(NAMES) if code and found[code]}
