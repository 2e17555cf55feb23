"""Deleting for good, so that space is really freed; said beforehand in rows and bytes. And sweeping what nobody needs.

Rows go in the caller's transaction, artifacts after its commit: a crash between leaves files that no row speaks
of, which `sweep` finds. What other datasets still use stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Table, delete, func, select, text, update
from sqlalchemy import table as named
from sqlalchemy.orm import Session

from backend.audit.errors import Conflict
from backend.store import activity, bulk, selections
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.keeping import may_remove, owner_of, owners
from backend.store.objects import Stored
from backend.store.runs import PUBLISHED_BY
from backend.store.tables import Base, Dataset, Decision, Run

AGE_GUARD = timedelta(hours=24)
"""Younger files are never swept: their rows may still be on their way."""
EVERY = timedelta(days=1)
"""So often the schedule prunes, where it is switched on."""
PRUNE = "prune"
How = Literal["schedule", "settings", "command"]
"""On whose word: the schedule's, an admin's in Settings, or the command line's."""
LOCK_SECONDS = 10
"""So long a deletion waits for those who read at this moment; then it is refused rather than holding up everybody."""


class Freed(NamedTuple):
    """What a deletion frees. `shared_with`: other datasets that use the same images, which therefore stay."""

    rows: int
    row_bytes: int
    artifact_bytes: int
    runs: int
    decisions: int
    shared_with: int
    prefixes: tuple[str, ...]
    """What to remove from the artifact store after the commit."""


class Swept(NamedTuple):
    """What was swept, or would be."""

    keys: list[str]
    bytes: int


def cost_of_dataset(session: Session, artifacts: Artifacts, dataset: Dataset) -> Freed:
    """What deleting this dataset with all its runs and decisions would free."""
    runs = list(session.scalars(select(Run.id).where(Run.dataset_id == dataset.id)))
    sharing = _count(session, Dataset, Dataset.content_id == dataset.content_id, Dataset.id != dataset.id)
    prefixes = [f"runs/{run}" for run in runs]
    prefixes += [
        f"datasets/{own}"
        for own in {dataset.id, dataset.content_id}
        if not (sharing and own == dataset.content_id)
    ]
    decided = _count(session, Decision, Decision.dataset_id == dataset.id)
    rows, row_bytes = _partition(session, "dataset_id", dataset.id)
    for run in runs:
        more, more_bytes = _partition(session, "run_id", run)
        rows, row_bytes = rows + more, row_bytes + more_bytes
    taken = _taken(artifacts, prefixes)
    return Freed(rows + decided, row_bytes, taken, len(runs), decided, sharing, tuple(sorted(prefixes)))


def cost_of_run(session: Session, artifacts: Artifacts, run: Run) -> Freed:
    """What deleting this run would free; decisions made in it belong to the dataset and stay."""
    rows, row_bytes = _partition(session, "run_id", run.id)
    prefixes = (f"runs/{run.id}",)
    return Freed(rows, row_bytes, _taken(artifacts, prefixes), 1, 0, 0, prefixes)


def delete_dataset(session: Session, artifacts: Artifacts, dataset: Dataset) -> Freed:
    """Delete the dataset, its samples, runs and decisions; datasets derived from it stay, and keep the images.

    The caller removes `prefixes` from the artifact store after its commit (`keeping.drop`). Raises Conflict
    (STILL_AT_WORK) while it is imported or audited, (BACKUP_RUNNING) while a backup is taken.
    """
    _begin(session)
    session.execute(select(Dataset.id).where(Dataset.id == dataset.id).with_for_update())
    at_work = select(Run.id).where(Run.dataset_id == dataset.id, Run.status.in_(("queued", "running")))
    if dataset.status == "importing" or session.scalar(at_work.limit(1)) is not None:
        raise _at_work("dataset")
    freed = cost_of_dataset(session, artifacts, dataset)
    for run in session.scalars(select(Run.id).where(Run.dataset_id == dataset.id)).all():
        _remove_rows(session, "run", run)
        session.execute(delete(Run).where(Run.id == run))
    _remove_rows(session, "dataset", dataset.id)
    session.execute(delete(Dataset).where(Dataset.id == dataset.id))
    return freed


def delete_run(session: Session, artifacts: Artifacts, run: Run) -> Freed:
    """Delete the run with its epochs and results; as `delete_dataset`."""
    _begin(session)
    session.execute(select(Run.id).where(Run.id == run.id).with_for_update())
    if run.status in ("queued", "running"):
        raise _at_work("run")
    freed = cost_of_run(session, artifacts, run)
    _remove_rows(session, "run", run.id)
    session.execute(delete(Run).where(Run.id == run.id))
    return freed


def sweep(database: Database, artifacts: Artifacts, now: datetime, age: timedelta, *, really: bool) -> Swept:
    """Remove what is `unneeded`, or only say what that is. Raises Conflict (BACKUP_RUNNING)."""
    stored = artifacts.stored("")
    with database.transaction() as session:
        if really and not may_remove(session):
            raise _backup_running()
        swept = unneeded(session, stored, now - age)
        if really:
            for key in swept.keys:
                artifacts.delete(key)
    return swept


def prune(
    database: Database,
    artifacts: Artifacts,
    now: datetime,
    age: timedelta,
    *,
    account_id: str | None,
    how: How,
) -> Swept:
    """`sweep`, really, and note in the activity log what it freed and on whose word. Raises Conflict (BACKUP_RUNNING)."""
    swept = sweep(database, artifacts, now, age, really=True)
    with database.transaction() as session:
        activity.record(
            session, account_id, PRUNE, "artifacts", files=len(swept.keys), bytes=swept.bytes, how=how
        )
    return swept


def unneeded(session: Session, stored: Iterable[Stored], before: datetime) -> Swept:
    """Artifacts that no row speaks of, and of ended runs the checkpoints and what was not published, last changed before.

    `stored` was listed before the session's rows are read: what a row speaks of by then was there, or is too young.
    Only what is kept under datasets/, runs/, uploads/ and probe/ is looked at.
    """
    known = {**owners(session), "probe": set()}
    known["uploads"] -= _used_up(session)
    published_by = Run.outcome[PUBLISHED_BY].astext
    over = select(Run.id, published_by).where(Run.status.in_(("succeeded", "cancelled")))
    ended: dict[str, str | None] = {row[0]: row[1] for row in session.execute(over)}
    found = [each for each in stored if each.modified_at < before and _is_orphan(each.key, known, ended)]
    return Swept([each.key for each in found], sum(each.size for each in found))


def last_prune(session: Session) -> activity.Deed | None:
    """The last time that something, or nothing, was pruned; `detail` has files, bytes and how."""
    return activity.last(session, PRUNE)


def is_due(session: Session, now: datetime) -> bool:
    """Whether nobody has pruned for a day."""
    last = last_prune(session)
    return last is None or last.happened_at <= now - EVERY


def _used_up(session: Session) -> set[str | None]:
    """Uploads that have become a dataset or a run's result; a backup may have kept their bytes from being removed."""
    became = select(Dataset.source["upload_id"].astext).where(Dataset.status == "ready")
    judged = select(Run.config["upload_id"].astext).where(Run.status == "succeeded")
    return {*session.scalars(became), *session.scalars(judged)}


def _is_orphan(key: str, known: dict[str, set[str]], ended: dict[str, str | None]) -> bool:
    kind, owner = owner_of(key)
    if kind not in known:
        return False
    return owner not in known[kind] or (kind == "runs" and owner in ended and _left_over(key, ended[owner]))


def _left_over(key: str, published_by: str | None) -> bool:
    """Whether it is a checkpoint of a run that has ended, or by a start of it under which nothing was published."""
    _, _, *folders, _ = key.split("/")
    return bool(folders) and folders[0] not in (published_by, selections.FOLDER)


def _begin(session: Session) -> None:
    if not may_remove(session):
        raise _backup_running()
    session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))


def _remove_rows(session: Session, kind: str, subject: str) -> None:
    """Drop what belongs to this dataset or run: its partitions, and the rows that point at it.

    Where a row may do without (a derived dataset without its parent, a decision without the run it was made
    in), it stays and forgets.
    """
    for table in reversed(Base.metadata.sorted_tables):
        if _partitioned_by(table) == f"{kind}_id":
            bulk.drop_partition(session, table.name, subject)
        for key in table.foreign_keys:
            if key.column.table.name != kind:
                continue
            here = key.parent == subject
            if key.parent.nullable:
                session.execute(update(table).where(here).values({key.parent.name: None}))
            else:
                session.execute(delete(table).where(here))


def _partitioned_by(table: Table) -> str | None:
    said = table.kwargs.get("postgresql_partition_by")
    return None if said is None else str(said).removeprefix("LIST (").removesuffix(")")


def _partition(session: Session, column: str, subject: str) -> tuple[int, int]:
    """(rows, bytes on disk with indexes) of the partitions that belong to this dataset or run."""
    rows = size = 0
    for table in Base.metadata.sorted_tables:
        if _partitioned_by(table) == column:
            name = f'"{table.name}_{subject}"'
            if session.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is not None:
                partition = named(f"{table.name}_{subject}")
                rows += session.scalar(select(func.count()).select_from(partition)) or 0
                size += session.scalar(text("SELECT pg_total_relation_size(:name)"), {"name": name}) or 0
    return rows, size


def _count(session: Session, table: type[Any], *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def _taken(artifacts: Artifacts, prefixes: Iterable[str]) -> int:
    return sum(stored.size for prefix in prefixes for stored in artifacts.stored(prefix))


def _at_work(kind: str) -> Conflict:
    return Conflict(
        "STILL_AT_WORK", f"This {kind} is being worked on.", hint="Stop it first, then delete it."
    )


def _backup_running() -> Conflict:
    return Conflict(
        "BACKUP_RUNNING",
        "A backup is being taken; nothing is deleted meanwhile.",
        hint="Delete it once the backup is written.",
    )
