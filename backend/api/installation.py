"""What the installation uses and what could be freed, for those who run it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.orm import Session

from backend.api.context import Context, In, Me
from backend.api.schemas.base import Answer
from backend.api.uploads import unfinished
from backend.settings import Settings
from backend.store import jobs, retention, usage
from backend.store.retention import Swept

router = APIRouter(prefix="/api/installation", tags=["system"])

DATASETS_SHOWN = 100


class KindAnswer(Answer):
    kind: Literal["datasets", "runs", "uploads", "other"]
    files: int
    bytes: int


class DiskAnswer(Answer):
    """Where artifacts lie; `keep_free_bytes` of it stay free: an upload that would take them is refused."""

    total_bytes: int
    free_bytes: int
    keep_free_bytes: int


class DatasetUse(Answer):
    """A dataset with its runs; images that several datasets share count for the oldest of them."""

    id: str
    name: str
    owner: str
    artifact_bytes: int
    database_bytes: int
    runs: int


class WorkerAnswer(Answer):
    id: str
    host: str
    device: str
    cores: int
    memory_bytes: int | None = Field(description="of the machine, or of the container")
    memory_free_bytes: int | None
    version: str
    queues: list[str]
    started_at: datetime
    seen_at: datetime
    alive: bool


class QueueAnswer(Answer):
    waiting: int
    running: int
    oldest_waiting_seconds: float


class UploadsLeft(Answer):
    """Finished uploads whose bytes are still kept, and those that nobody has gone on with yet."""

    count: int
    bytes: int
    oldest_at: datetime | None
    unfinished_count: int
    unfinished_bytes: int


class FreedAnswer(Answer):
    files: int
    bytes: int


class LastPrune(FreedAnswer):
    at: datetime
    how: Literal["schedule", "settings", "command"]
    account: str | None


class RetentionAnswer(Answer):
    days: int = Field(description="files that nothing needs go by themselves when so old; 0: they do not")
    would_free: FreedAnswer = Field(description="what pruning now would remove")
    last: LastPrune | None
    next_at: datetime | None = Field(description="of the schedule; empty where it is off")


class InstallationAnswer(Answer):
    database_bytes: int
    artifacts: list[KindAnswer]
    disk: DiskAnswer | None = Field(description="empty for a bucket")
    datasets: list[DatasetUse] = Field(description="the hundred largest, largest first")
    datasets_total: int
    workers: list[WorkerAnswer]
    queue: QueueAnswer
    uploads: UploadsLeft
    retention: RetentionAnswer


@router.get("")
def get_installation(context: In, caller: Me) -> InstallationAnswer:
    """What is used, by what, and what pruning would free."""
    now = datetime.now(UTC)
    stored = context.artifacts.stored("")
    left, begun = usage.left_over(stored), unfinished(context.settings)
    with context.database.transaction() as session:
        datasets = usage.by_dataset(session, stored)
        return InstallationAnswer(
            database_bytes=usage.database_bytes(session),
            artifacts=[KindAnswer.model_validate(each) for each in usage.by_kind(stored)],
            disk=_disk(context),
            datasets=[DatasetUse.model_validate(each) for each in datasets[:DATASETS_SHOWN]],
            datasets_total=len(datasets),
            workers=[WorkerAnswer.model_validate(each) for each in usage.workers(session)],
            queue=QueueAnswer.model_validate(jobs.queue_state(session)),
            uploads=UploadsLeft(
                count=left.files,
                bytes=left.bytes,
                oldest_at=left.oldest_at,
                unfinished_count=len(begun),
                unfinished_bytes=sum(begun),
            ),
            retention=_retention(
                session,
                context.settings,
                retention.unneeded(session, stored, now - _age(context.settings)),
                now,
            ),
        )


@router.post("/prune")
def prune_installation(context: In, caller: Me) -> FreedAnswer:
    """Remove the files that nothing needs, now."""
    swept = retention.prune(
        context.database,
        context.artifacts,
        datetime.now(UTC),
        _age(context.settings),
        account_id=caller.id,
        how="settings",
    )
    return _freed(swept)


def _age(settings: Settings) -> timedelta:
    return timedelta(days=settings.prune_days) if settings.prune_days else retention.AGE_GUARD


def _freed(swept: Swept) -> FreedAnswer:
    return FreedAnswer(files=len(swept.keys), bytes=swept.bytes)


def _disk(context: Context) -> DiskAnswer | None:
    disk = context.artifacts.disk()
    if disk is None:
        return None
    keep = int(context.settings.limits.disk_free_share * disk.total_bytes)
    return DiskAnswer(**disk._asdict(), keep_free_bytes=keep)


def _retention(session: Session, settings: Settings, swept: Swept, now: datetime) -> RetentionAnswer:
    deed = retention.last_prune(session)
    last = None if deed is None else LastPrune(at=deed.happened_at, account=deed.account, **deed.detail)
    due = now if last is None else max(now, last.at + retention.EVERY)
    return RetentionAnswer(
        days=settings.prune_days,
        would_free=_freed(swept),
        last=last,
        next_at=due if settings.prune_days else None,
    )
