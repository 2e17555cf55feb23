"""What the installation uses: bytes by kind and by dataset, uploads left over, the workers that were heard of.

Knows no limits and removes nothing; `retention` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.store.keeping import owner_of
from backend.store.objects import Stored
from backend.store.tables import Account, Dataset, Run, Worker

KINDS = ("datasets", "runs", "uploads", "other")
FORGOTTEN_DAYS = 7
"""So long after its last word a worker is still listed."""


class OfKind(NamedTuple):
    """Files in the artifact store under one first word."""

    kind: str
    files: int
    bytes: int


class OfDataset(NamedTuple):
    """What one dataset takes with its runs. Images that several datasets share count once, for the oldest of them."""

    id: str
    name: str
    owner: str
    artifact_bytes: int
    database_bytes: int
    runs: int


class LeftOver(NamedTuple):
    """Finished uploads whose bytes are still kept."""

    files: int
    bytes: int
    oldest_at: datetime | None


class Seen(NamedTuple):
    """A worker as it described itself; `alive`: the job queue heard its heart within seconds."""

    id: str
    host: str
    device: str
    cores: int
    memory_bytes: int | None
    memory_free_bytes: int | None
    version: str
    queues: list[str]
    started_at: datetime
    seen_at: datetime
    alive: bool


def database_bytes(session: Session) -> int:
    """Of the whole database on its disk, indexes included."""
    return int(session.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def by_kind(stored: Iterable[Stored]) -> list[OfKind]:
    """The artifact store's files by what they belong to; every kind is named."""
    files: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for each in stored:
        first = owner_of(each.key)[0]
        kind = first if first in KINDS else "other"
        files[kind] += 1
        size[kind] += each.size
    return [OfKind(kind, files[kind], size[kind]) for kind in KINDS]


def by_dataset(session: Session, stored: Iterable[Stored]) -> list[OfDataset]:
    """What each dataset takes, the largest first."""
    rows = session.execute(
        select(Dataset.id, Dataset.name, Dataset.content_id, Account.name.label("owner"))
        .join(Account, Account.id == Dataset.owner_id)
        .order_by(Dataset.created_at, Dataset.id)
    ).all()
    dataset_of: dict[str, str] = {}
    for row in rows:
        dataset_of.setdefault(row.content_id, row.id)
    # Its own id comes first: a derived dataset may keep something beside the images that it shares.
    dataset_of |= {row.id: row.id for row in rows}
    runs: Counter[str] = Counter()
    for run_id, dataset_id in session.execute(select(Run.id, Run.dataset_id)):
        dataset_of[run_id] = dataset_id
        runs[dataset_id] += 1
    kept: Counter[str] = Counter()
    for each in stored:
        owner = dataset_of.get(owner_of(each.key)[1])
        if owner is not None:
            kept[owner] += each.size
    in_tables: Counter[str] = Counter()
    for subject, size in _partitions(session):
        if subject in dataset_of:
            in_tables[dataset_of[subject]] += size
    found = [
        OfDataset(row.id, row.name, row.owner, kept[row.id], in_tables[row.id], runs[row.id]) for row in rows
    ]
    return sorted(found, key=lambda each: -(each.artifact_bytes + each.database_bytes))


def left_over(stored: Iterable[Stored]) -> LeftOver:
    """The finished uploads that are still kept."""
    uploads = [each for each in stored if owner_of(each.key)[0] == "uploads"]
    oldest = min((each.modified_at for each in uploads), default=None)
    return LeftOver(len(uploads), sum(each.size for each in uploads), oldest)


def describe_worker(session: Session, worker_id: str, **facts: Any) -> None:
    """Write what a worker says of itself now, and forget those of which nothing was heard for long."""
    new = insert(Worker).values(id=worker_id, **facts)
    session.execute(new.on_conflict_do_update(index_elements=["id"], set_={**facts, "seen_at": func.now()}))
    session.execute(
        delete(Worker).where(Worker.seen_at < func.now() - text(f"interval '{FORGOTTEN_DAYS} days'"))
    )


def workers(session: Session) -> Sequence[Seen]:
    """The workers that were heard of lately: the living first, then by their last word."""
    query = text(
        "SELECT w.id, w.host, w.device, w.cores, w.memory_bytes, w.memory_free_bytes, w.version,"
        " coalesce(c.queues, '{}') AS queues, w.started_at, greatest(w.seen_at, c.last_seen) AS seen_at,"
        " coalesce(c.expires_at > now(), false) AS alive"
        " FROM worker w LEFT JOIN chancy_workers c ON c.worker_id = w.id ORDER BY alive DESC, seen_at DESC, w.id"
    )
    return [
        Seen(**{**row, "queues": sorted(set(row["queues"]) - {"default"})})
        for row in session.execute(query).mappings()
    ]


def _partitions(session: Session) -> list[tuple[str, int]]:
    """(id of a dataset or run, bytes on disk with indexes) of each partition."""
    query = text(
        "SELECT substr(c.relname, strpos(c.relname, '_') + 1), pg_total_relation_size(c.oid) FROM pg_inherits i"
        " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent IN ('sample'::regclass, 'result'::regclass)"
    )
    return [(subject, int(size)) for subject, size in session.execute(query)]
