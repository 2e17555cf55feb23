"""Decisions of one dataset that come at once are recorded in one transaction.

Requests of a dataset are recorded in turn, and each commit waits for the disk. One by one, each would wait for the
commits of all before it; so whoever's turn it is records what the others in this process wait with, too.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from psycopg.errors import ForeignKeyViolation

from backend.audit.errors import NotFound, Unavailable
from backend.store import deciding
from backend.store.database import Database


@dataclass(eq=False)
class _Entry:
    """A request and what became of it; `recorded` and `refused` are written by whose turn it is."""

    request: deciding.Request
    recorded: int | None = None
    refused: Unavailable | None = None


@dataclass
class _Line:
    """Who waits in one dataset; `turn` is held while somebody records."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    guard: threading.Lock = field(default_factory=threading.Lock)
    waiting: list[_Entry] = field(default_factory=list)

    def join(self, entry: _Entry) -> None:
        with self.guard:
            self.waiting.append(entry)

    def all_waiting(self) -> list[_Entry]:
        """Everybody who waits, who do so no longer."""
        with self.guard:
            taken, self.waiting = self.waiting, []
        return taken


class Turns:
    """Records checked requests (`deciding.check`); thread-safe, and in turn with other processes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._lines: dict[str, _Line] = {}

    def record(self, dataset_id: str, request: deciding.Request) -> int:
        """Record the request for good; give how many verdicts, 0 when its key was recorded before.

        Raises NotFound when the dataset or the run was deleted since the check, and Unavailable.
        """
        with self._guard:
            line = self._lines.setdefault(dataset_id, _Line())
        own = _Entry(request)
        line.join(own)
        with line.turn:
            if own.recorded is None and own.refused is None:
                self._take_turn(dataset_id, own, line.all_waiting())
        if own.refused is not None:
            raise own.refused
        return own.recorded or 0

    def _take_turn(self, dataset_id: str, own: _Entry, waiting: list[_Entry]) -> None:
        try:
            # Whoever was recorded with others in vain waits no longer, and comes alone.
            self._commit(dataset_id, waiting if own in waiting else [own])
        except ForeignKeyViolation:
            # A run of one of them is gone. Each of the others comes alone, in its turn.
            try:
                self._commit(dataset_id, [own])
            except ForeignKeyViolation as error:
                raise NotFound("NOT_FOUND", "The dataset or the audit was deleted meanwhile.") from error

    def _commit(self, dataset_id: str, entries: list[_Entry]) -> None:
        try:
            with self._database.transaction() as session:
                recorded = deciding.record(session, dataset_id, [each.request for each in entries])
        except Unavailable as error:
            # Away for one is away for all: none waits for it one by one.
            for each in entries:
                each.refused = error
            return
        for each, count in zip(entries, recorded, strict=True):
            each.recorded = count
