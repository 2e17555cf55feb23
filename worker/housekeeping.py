"""What a worker does beside its jobs: say that it is there and on what, and prune where the schedule is on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from backend.audit.errors import Conflict, NoiseAuditError
from backend.settings import Settings
from backend.store import retention, usage
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from worker.machine import described

DESCRIBE_SECONDS = 30.0
PRUNE_LOOK_SECONDS = 3600.0
"""Between looks whether pruning is due; it is due once a day."""

log = logging.getLogger(__name__)


async def keep_house(settings: Settings, database: Database, worker_id: str) -> None:
    """Both, until cancelled; what fails is logged and tried again."""
    await asyncio.gather(
        _for_ever(DESCRIBE_SECONDS, describe, settings, database, worker_id),
        _for_ever(PRUNE_LOOK_SECONDS, prune_if_due, settings, database, datetime.now),
    )


def describe(settings: Settings, database: Database, worker_id: str) -> None:
    """Write what this worker runs on."""
    facts = described(settings.device)
    with database.transaction() as session:
        usage.describe_worker(session, worker_id, version=version("noise-audit"), **facts)


def prune_if_due(settings: Settings, database: Database, clock: Callable[[Any], datetime]) -> None:
    """Remove what nothing needs, when the schedule is on and has not done so for a day."""
    now = clock(UTC)
    if not settings.prune_days:
        return
    with database.transaction() as session:
        if not retention.is_due(session, now):
            return
    artifacts = Artifacts.open(settings.artifacts, settings.data)
    age = timedelta(days=settings.prune_days)
    expected = retention.sweep(database, artifacts, now, age, really=False)
    log.info("pruning: %d files, %d bytes that nothing needs", len(expected.keys), expected.bytes)
    try:
        swept = retention.prune(database, artifacts, now, age, account_id=None, how="schedule")
    except Conflict as error:
        log.info("not pruned now: %s", error.code)
        return
    log.info("pruned %d files, %d bytes", len(swept.keys), swept.bytes)


async def _for_ever(seconds: float, act: Callable[..., None], *arguments: Any) -> None:
    while True:
        try:
            await asyncio.to_thread(act, *arguments)
        except NoiseAuditError as error:
            log.warning("%s failed: %s", act.__name__, error.code)
        await asyncio.sleep(seconds)
