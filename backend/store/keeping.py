"""Who may remove kept bytes when: never while a backup reads them. Knows the lock, nothing of what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.store.artifacts import Artifacts
from backend.store.database import Database

KEEP_LOCK = 0x6B656570
"""Key of the advisory lock ("keep" in ASCII): shared by backups, alone for whoever removes."""


@contextmanager
def nothing_is_removed(database: Database) -> Iterator[None]:
    """For as long as the block lasts, `may_remove` says no to everybody; waits for removals under way."""
    with database.transaction() as guard:
        guard.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": KEEP_LOCK})
        yield


def may_remove(session: Session) -> bool:
    """Whether no backup is being taken; if so, none begins before the caller's transaction ends."""
    found = session.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": KEEP_LOCK})
    return bool(found.scalar_one())


def drop(database: Database, artifacts: Artifacts, prefix: str) -> bool:
    """Remove artifacts that nothing needs any more; False while a backup is taken: they are left to be swept."""
    with database.transaction() as session:
        if not may_remove(session):
            return False
        artifacts.delete(prefix)
        return True
