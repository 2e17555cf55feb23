"""A claimed job seen from inside its process: fenced writes, throttled progress, and the question "go on?".

Knows rows and claims; knows nothing of what the job computes.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from backend.audit.errors import ClaimLost, Unavailable
from backend.store import claims
from backend.store.database import Database

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""How often the row is asked whether the job was cancelled; cancel is promised within 10 s."""
PROGRESS_SECONDS = 0.5
"""At most so often is progress written: people see it move, the database does not notice."""
LOG_LINES = 60
"""So many of the last lines stand in the row for people to read; they travel with every change of the run."""


class Claimed:
    """One job's hold on its row (of any of `claims.Table`), for as long as nobody else takes it."""

    def __init__(
        self,
        database: Database,
        table: claims.Table,
        id_: str,
        claim_id: str,
        log: Iterable[dict[str, str]] = (),
    ) -> None:
        self.database, self.table, self.id, self.claim_id = database, table, id_, claim_id
        self._log = deque(log, maxlen=LOG_LINES)
        self._parent = os.getppid()
        self._polled = self._progressed = float("-inf")
        self._stop = False

    def should_stop(self) -> bool:
        """True once the run was cancelled, another worker holds the claim, or our worker died. Cheap to call."""
        now = time.monotonic()
        if not self._stop and now - self._polled >= POLL_SECONDS:
            self._polled = now
            self._stop = os.getppid() != self._parent or not self._is_ours()
        return self._stop

    def _is_ours(self) -> bool:
        try:
            with self.database.transaction() as session:
                return claims.is_held(session, self.table, self.id, self.claim_id)
        except Unavailable as error:
            log.warning("%s while polling; the work goes on", error.code)
            return True

    def say(self, text: str) -> None:
        """Add a line to the job's log; it is written with the next progress."""
        self._log.append({"at": datetime.now(UTC).isoformat(timespec="seconds"), "text": text})

    def enter(self, stage: str, fraction: float, words: str) -> None:
        """A stage begins: say so in the log and in the progress."""
        self.say(words)
        self.progress(force=True, stage=stage, fraction=fraction, message=words)

    @property
    def log(self) -> dict[str, list[dict[str, str]]]:
        """The last lines as a part of the progress; empty while nothing was said."""
        return {"log": list(self._log)} if self._log else {}

    def progress(self, *, force: bool = False, **progress: Any) -> None:
        """Write the job's progress (keys of `Progress` in HTTP answers), at most twice a second unless forced."""
        now = time.monotonic()
        if not force and now - self._progressed < PROGRESS_SECONDS:
            return
        self._progressed = now
        try:
            self.write(progress={**progress, **self.log})
        except Unavailable as error:
            log.warning("progress not written: %s", error.code)

    def write(self, **columns: Any) -> None:
        """Fenced update of the job's own row. Raises ClaimLost when the row is no longer ours."""
        with self.database.transaction() as session:
            claims.fenced_update(session, self.table, self.id, self.claim_id, **columns)

    def check(self) -> None:
        """Raise ClaimLost when the job should stop."""
        if self.should_stop():
            raise ClaimLost(self.id)
