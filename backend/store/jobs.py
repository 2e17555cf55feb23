"""The job queue: Chancy behind a few functions, so that nothing else knows its name.

A job is a promise to look at a row. What the row then allows, how often, and whose writes count is
decided in `claims`, never here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from uuid import uuid4

from chancy import Chancy, Job, Queue, Worker
from chancy.migrate import Migrator
from psycopg import OperationalError
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from psycopg_pool import PoolTimeout
from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from backend.store.attention import attentive
from backend.store.succession import WORKER_SESSION, plugins

TRAINING = "training"
IMPORT = "import"
PREFLIGHT = "preflight"
RUN_AUDIT = "worker.jobs.run_audit"
RUN_IMPORT = "worker.jobs.run_import"
RUN_PREFLIGHT = "worker.jobs.run_preflight"
HEARTBEAT_SECONDS = 3
HEARTBEAT_TIMEOUT = 12
"""Seconds of silence after which a worker counts as dead; its job goes on elsewhere a few seconds later."""
OUTAGE_SECONDS = 60
"""For which the database may be away."""
ATTEMPTS = 1000
"""Practically no limit: starts are counted and capped in our own row, by `claims.claim`."""

# Chancy would install a handler of its own and tell every few seconds that nothing happened.
log = logging.getLogger("chancy")
log.setLevel(logging.WARNING)

QUEUES = [
    Queue(name, concurrency=1, tags={name}, executor=Chancy.Executor.Async, eager_polling=True)
    for name in (TRAINING, IMPORT, PREFLIGHT)
]
"""One job of a kind at a time per worker; a worker takes the queues whose names are among its tags."""

NOBODYS = Queue("default", tags=set())
"""Every worker declares it and would serve it with a pool of processes, which outlive a worker that is killed."""


class QueueState(NamedTuple):
    """How the queue stands: jobs that wait and run; seconds the oldest has waited for a worker (0 when none waits)."""

    waiting: int
    running: int
    oldest_waiting_seconds: float


class _Application(Chancy):  # type: ignore[misc]
    """Chancy, but a worker's start outlives connections that are cut in the middle of it."""

    worker_id: str
    """Of the worker that works with it, by which the server knows its connections."""

    async def declare(self, queue: Queue, *, upsert: bool = False) -> Queue:
        """As Chancy's; tries again while the database cannot be reached, for as long as an outage may last."""
        deadline = time.monotonic() + OUTAGE_SECONDS
        while True:
            try:
                return await super().declare(queue, upsert=upsert)
            except (OperationalError, PoolTimeout) as error:
                if time.monotonic() > deadline:
                    raise
                log.warning("queue %s is not declared yet: %s", queue.name, str(error).partition("\n")[0])
                await asyncio.sleep(0.2)


def chancy_app(url: str) -> Any:
    """A Chancy application on the database, for one worker at most; use it as an async context manager."""
    worker_id = str(uuid4())
    url = make_conninfo(url, **{**attentive(url), "application_name": WORKER_SESSION + worker_id})
    app = _Application(url, no_default_plugins=True, plugins=plugins(), max_connection_pool_size=5, log=log)
    app.worker_id = worker_id
    return app


def make_worker(
    app: Any,
    *,
    queues: tuple[str, ...] = (TRAINING, IMPORT, PREFLIGHT),
    shutdown_seconds: int = 30,
    signals: bool = True,
) -> Any:
    """A worker of `queues`, with a heart that beats fast enough to be missed within 12 seconds.

    Use it as an async context manager (`await worker.wait_for_shutdown()` inside). `signals`: drain for
    up to `shutdown_seconds` on SIGTERM and SIGINT.
    """
    return Worker(
        app,
        worker_id=app.worker_id,
        tags=set(queues),
        heartbeat_poll_interval=HEARTBEAT_SECONDS,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        shutdown_timeout=shutdown_seconds,
        register_signal_handlers=signals,
        # Back from an outage within seconds, not after the default's minute.
        backoff_max=5.0,
    )


async def leave(worker: Any) -> None:
    """Stop a worker without waiting for its jobs to end: they are cancelled, tidy up, and go back into the queue."""
    stopping = asyncio.create_task(worker.stop())
    # One turn of the loop: the worker takes no new job before its present ones are cancelled.
    await asyncio.sleep(0)
    for executor in list(worker.executors.values()):
        for job in executor.get_running_jobs():
            await executor.cancel_execution(job)
    await stopping


def enqueue_run(session: Session, run_id: str) -> None:
    """Have a training worker look at the run; takes effect when the caller's transaction commits."""
    enqueue(session, RUN_AUDIT, queue=TRAINING, key=key("run", run_id), run_id=run_id)


def enqueue_import(session: Session, dataset_id: str) -> None:
    """Have an import worker look at the dataset; takes effect when the caller's transaction commits."""
    enqueue(session, RUN_IMPORT, queue=IMPORT, key=key("dataset", dataset_id), dataset_id=dataset_id)


def enqueue_preflight(session: Session, preflight_id: str) -> None:
    """Have a worker look at the files; not behind an import, since somebody waits for the answer."""
    enqueue(
        session, RUN_PREFLIGHT, queue=PREFLIGHT, key=key("preflight", preflight_id), preflight_id=preflight_id
    )


def enqueue(session: Session, function: str, *, queue: str, key: str, **arguments: Any) -> None:
    """Queue a call of the function at this import path; while a job of the same `key` waits or runs, no second.

    The function gets the arguments by keyword, and the delivery itself, with its claim, as a keyword-only
    parameter annotated `QueuedJob` (the class, not a string).
    """
    # By the clock that workers compare it with: ours may be hours ahead, and for so long the job would wait.
    now = session.execute(select(func.now())).scalar_one()
    job = Job(
        func=function, queue=queue, kwargs=arguments, max_attempts=ATTEMPTS, unique_key=key, scheduled_at=now
    )
    connection = session.connection().connection.driver_connection
    assert connection is not None
    with connection.cursor(row_factory=dict_row) as cursor:
        # No pool is opened for this: the application only lends its SQL to our cursor.
        Chancy("", no_default_plugins=True, log=log).sync_push_many_ex(cursor, [job])


def key(kind: str, subject: str) -> str:
    """The key under which the job of a run, an import or a preflight is known."""
    return f"{kind}:{subject}"


def claim_of(session: Session, key: str) -> str | None:
    """The claim to which the queue last handed the job of this key; None while it waits or when it is over."""
    found = session.execute(
        text(
            "SELECT claim_id FROM chancy_jobs WHERE unique_key = :key AND state NOT IN ('succeeded', 'failed')"
            " AND state = 'running'"
        ),
        {"key": key},
    ).scalar_one_or_none()
    return None if found is None else str(found)


def unfinished(session: Session) -> list[dict[str, Any]]:
    """Every job that waits or runs, as `enqueue` takes it: {function, queue, key, arguments}."""
    found = session.execute(
        text(
            "SELECT func AS function, queue, unique_key AS key, kwargs AS arguments FROM chancy_jobs"
            " WHERE state NOT IN ('succeeded', 'failed') AND unique_key IS NOT NULL ORDER BY created_at, id"
        )
    )
    return [dict(row) for row in found.mappings()]


def queue_state(session: Session) -> QueueState:
    """How many jobs wait and run, and for how long the oldest one waits."""
    found = session.execute(
        text(
            "SELECT count(*) FILTER (WHERE state <> 'running'), count(*) FILTER (WHERE state = 'running'),"
            " coalesce(extract(epoch FROM now() - min(scheduled_at) FILTER (WHERE state <> 'running')), 0)"
            " FROM chancy_jobs WHERE state NOT IN ('succeeded', 'failed')"
        )
    ).one()
    return QueueState(int(found[0]), int(found[1]), max(0.0, float(found[2])))


def forgotten(session: Session) -> list[str]:
    """The keys of runs and imports that are under way by their row, while the queue has no job for them."""
    found = session.scalars(
        text(
            "WITH under_way AS (SELECT 'run:' || id AS key FROM run WHERE status IN ('queued', 'running')"
            " UNION ALL SELECT 'dataset:' || id FROM dataset WHERE status = 'importing')"
            " SELECT key FROM under_way WHERE NOT EXISTS (SELECT FROM chancy_jobs"
            " WHERE unique_key = key AND state NOT IN ('succeeded', 'failed')) ORDER BY key"
        )
    )
    return list(found)


def live_workers(session: Session) -> int:
    """How many workers announced themselves lately."""
    found = session.execute(text("SELECT count(*) FROM chancy_workers WHERE expires_at > now()"))
    return int(found.scalar_one())


def migrate(url: str) -> None:
    """Create or update the queue's own tables and declare our queues; idempotent."""

    async def run() -> None:
        async with chancy_app(url) as app:
            await app.migrate()
            for queue in (*QUEUES, NOBODYS):
                await app.declare(queue, upsert=True)

    # In a thread of its own: the caller may be inside a running event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()


def is_migrated(connection: Connection) -> bool:
    """Whether the queue's tables are those of the installed version."""
    if connection.execute(text("SELECT to_regclass('chancy_schema_version')")).scalar_one() is None:
        return False
    found = connection.execute(text("SELECT version_of, version FROM chancy_schema_version")).all()
    versions = {str(key): int(version) for key, version in found}
    app = chancy_app("")
    migrators = [
        Migrator("chancy", "chancy.migrations", prefix=app.prefix),
        *(plugin.migrator(app) for plugin in app.plugins.values()),
    ]
    return all(versions.get(each.key, 0) >= len(each.discover_all_migrations()) for each in migrators if each)
