"""Whose the kept bytes are, and when they may be removed: never while a backup reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Dataset, Run, Upload

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


def owners(session: Session) -> dict[str, set[str]]:
    """The ids, by the first word of an artifact's key, that rows know now; of other first words nothing is known."""
    datasets = session.execute(select(Dataset.id, Dataset.content_id)).all()
    return {
        "datasets": {each for row in datasets for each in row},
        "runs": set(session.scalars(select(Run.id))),
        "uploads": set(session.scalars(select(Upload.id))),
    }


def owner_of(key: str) -> tuple[str, str]:
    """The first word of an artifact's key, and the id that follows it."""
    kind, owner, *_ = [*key.split("/", 2), ""]
    return kind, owner
