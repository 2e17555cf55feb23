"""The outer door of a job's process: claim, do, and record on the row whatever went wrong.

The one place of the compute side that catches everything.
"""

from __future__ import annotations

import errno
import logging
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from backend.audit.errors import ClaimLost, NoiseAuditError
from backend.logs import about, set_up
from backend.settings import Settings
from backend.store import claims
from backend.store.artifacts import Artifacts
from backend.store.claims import Claimable
from backend.store.database import Database, patiently
from worker.claimed import Claimed
from worker.outages import outlasting

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The work noticed that it should stop and has left nothing behind."""


def enter(
    table: type[Claimable],
    do: Callable[[Settings, Artifacts, Claimed, Claimable], None],
    arguments: list[str],
) -> int:
    """Claim row `arguments[0]` under claim `arguments[1]` and do the job; returns the exit status."""
    # Let `finally` clauses run when the worker asks us to leave.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    settings, (id_, claim_id) = Settings(), arguments
    set_up(settings.log_format)
    with about(**{f"{table.__tablename__}_id": id_, "claim_id": claim_id}):
        return _enter(settings, table, do, id_, claim_id)


def _enter(
    settings: Settings,
    table: type[Claimable],
    do: Callable[[Settings, Artifacts, Claimed, Claimable], None],
    id_: str,
    claim_id: str,
) -> int:
    database = Database(settings.database_url, claims.session_name(claim_id))
    try:
        row = patiently(lambda: _taken(settings, database, table, id_, claim_id))
        if row is None:
            log.info("%s %s: nothing to do", table.__tablename__, id_)
            return 0
        claimed = Claimed(database, table, id_, claim_id, row.progress.get("log", ()))
        if row.starts > 1:
            claimed.say(f"Taken up again after its worker went away (start {row.starts})")
        _guarded(settings, claimed, row, do)
    finally:
        database.dispose()
    return 0


def _taken(
    settings: Settings, database: Database, table: type[Claimable], id_: str, claim_id: str
) -> Claimable | None:
    with database.transaction() as session:
        row = claims.claim(session, table, id_, claim_id, settings.max_starts)
        if row is not None:
            session.expunge(row)
        return row


def _guarded(
    settings: Settings,
    claimed: Claimed,
    row: Claimable,
    do: Callable[[Settings, Artifacts, Claimed, Claimable], None],
) -> None:
    """Do the job; whatever ends it early is written on its row."""
    what = f"{claimed.table.__tablename__} {claimed.id}"
    try:
        artifacts = Artifacts.open(settings.artifacts, settings.data)
        outlasting(
            lambda: do(settings, artifacts, claimed, row),
            claimed.database,
            artifacts,
            check=claimed.check,
            tell=partial(claimed.enter, "fetch", 0.0),
        )
    except (ClaimLost, Stopped):
        patiently(lambda: _acknowledge(claimed))
        log.info("%s: stopped", what)
    except Exception as error:
        log.exception("%s failed", what)
        told = error_json(error)
        patiently(lambda: _fail(claimed, told))


def _acknowledge(claimed: Claimed) -> None:
    with claimed.database.transaction() as session:
        claims.acknowledge_cancel(session, claimed.table, claimed.id)


def _fail(claimed: Claimed, error: dict[str, Any]) -> None:
    with claimed.database.transaction() as session:
        claims.fail(session, claimed.table, claimed.id, claimed.claim_id, error)


def error_json(error: Exception) -> dict[str, Any]:
    """What a person is told of a failure; never a path or a traceback."""
    if isinstance(error, NoiseAuditError):
        return error.as_dict()
    # torch's own class is known by name: this module serves jobs that never import torch.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return {
            "code": "OUT_OF_MEMORY",
            "message": "There was not enough memory for this job.",
            "hint": "Use a smaller batch_size or width, or a machine with more memory.",
        }
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return {
            "code": "DISK_FULL",
            "message": "The disk is full.",
            "hint": "Make space, then start again; what was stored before is intact.",
        }
    return {
        "code": "INTERNAL",
        "message": f"The job failed unexpectedly ({type(error).__name__}).",
        "hint": "The worker's log holds the details.",
    }
