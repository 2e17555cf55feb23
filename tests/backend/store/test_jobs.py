"""Jobs are queued with the row or not at all, delivered with a claim, and go on after their worker's death."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import text

from backend.store import claims, datasets, jobs, runs
from backend.store.database import Database
from backend.store.succession import WORKER_SESSION
from backend.store.tables import Dataset, Run
from tests.installation import wait_until

ROOT = Path(__file__).parents[3]

JOBS = '''
import asyncio
import os
import signal
from pathlib import Path
from chancy import QueuedJob
from backend.store import claims
from backend.store.database import Database
from backend.store.tables import Run

async def run(*, job: QueuedJob, run_id: str, url: str, finish: str) -> None:
    """Takes the run; waits until it may finish."""
    database = Database(url)
    with database.transaction() as session:
        taken = claims.claim(session, Run, run_id, str(job.claim_id), 5)
    print("taken" if taken else "refused", job.claim_id, flush=True)
    while taken and not Path(finish).exists():
        await asyncio.sleep(0.05)
    if taken:
        with database.transaction() as session:
            claims.finish(session, Run, run_id, str(job.claim_id), "succeeded")
        print("finished", job.claim_id, flush=True)
'''

WORKER = """
import asyncio
import sys
from backend.store.jobs import chancy_app, make_worker

async def work() -> None:
    async with chancy_app(sys.argv[1]) as app, make_worker(app, shutdown_seconds=1) as worker:
        await worker.wait_for_shutdown()

asyncio.run(work())
"""


@pytest.fixture
def start_worker(database: Database, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts a worker process of the job function above."""
    (tmp_path / "drill.py").write_text(JOBS)
    started = []

    def start() -> subprocess.Popen[str]:
        path = os.pathsep.join([str(tmp_path), str(ROOT)])
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, database.url],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _said(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


def _enqueue_drill(database: Database, run_id: str, finish: Path) -> None:
    with database.transaction() as session:
        jobs.enqueue(
            session, "drill.run", queue=jobs.TRAINING, key=jobs.key("run", run_id),
            run_id=run_id, url=database.url, finish=str(finish),
        )  # fmt: skip


def _jobs(database: Database) -> list[tuple[str, str, str]]:
    with database.transaction() as session:
        rows = session.execute(text("SELECT queue, func, state FROM chancy_jobs ORDER BY id")).all()
    return [(row.queue, row.func, row.state) for row in rows]


def _cut_connections(database: Database) -> None:
    with database.transaction() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def _fresh_run(database: Database, owner: str, dataset: Dataset) -> str:
    with database.transaction() as session:
        return runs.create(session, owner, dataset.id, "fast", {}, 0).id


def test_the_row_and_its_job_come_together(database: Database, owner: str, dataset: Dataset) -> None:
    with database.transaction() as session:
        run = runs.create(session, owner, dataset.id, "fast", {}, 0)
        jobs.enqueue_run(session, run.id)
        other = datasets.create(session, owner, "other", {"kind": "folder"})
        jobs.enqueue_import(session, other.id)
    assert _jobs(database) == [
        ("training", "worker.jobs.run_audit", "pending"),
        ("import", "worker.jobs.run_import", "pending"),
    ]
    with database.transaction() as session:
        arguments = session.scalars(text("SELECT kwargs FROM chancy_jobs ORDER BY id")).all()
    assert arguments == [{"run_id": run.id}, {"dataset_id": other.id}]


def test_a_job_is_due_by_the_clock_of_the_database(database: Database, owner: str, dataset: Dataset) -> None:
    with database.transaction() as session:
        run = runs.create(session, owner, dataset.id, "fast", {}, 0)
        # Within a transaction that clock stands still, and this machine's does not.
        time.sleep(0.05)
        jobs.enqueue_run(session, run.id)
        assert session.scalar(text("SELECT scheduled_at = now() FROM chancy_jobs"))


def test_a_rollback_leaves_neither_row_nor_job(database: Database, owner: str, dataset: Dataset) -> None:
    def fail_after_both() -> None:
        with database.transaction() as session:
            run = runs.create(session, owner, dataset.id, "fast", {}, 0)
            jobs.enqueue_run(session, run.id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_both()
    assert _jobs(database) == []
    with database.transaction() as session:
        assert runs.list_for(session, owner) == []


def test_a_job_that_waits_already_is_not_queued_again(database: Database, new_run: Callable[[], Run]) -> None:
    run = new_run()
    with database.transaction() as session:
        jobs.enqueue_run(session, run.id)
    assert len(_jobs(database)) == 1


def test_the_queues_are_declared_for_one_job_at_a_time(database: Database) -> None:
    with database.transaction() as session:
        rows = session.execute(
            text(
                "SELECT name, concurrency, tags, executor FROM chancy_queues WHERE tags <> '{}' ORDER BY name"
            )
        )
        found = [tuple(row) for row in rows]
    executor = "chancy.executors.asyncex.AsyncExecutor"
    assert found == [(name, 1, [name], executor) for name in ("import", "preflight", "training")]


def test_a_worker_runs_the_job_with_its_claim_and_counts_as_alive(
    database: Database,
    owner: str,
    dataset: Dataset,
    tmp_path: Path,
    start_worker: Callable[[], subprocess.Popen[str]],
) -> None:
    with database.transaction() as session:
        assert jobs.live_workers(session) == 0
    worker = start_worker()
    run_id = _fresh_run(database, owner, dataset)
    _enqueue_drill(database, run_id, tmp_path / "finish")
    word, claim_id = _said(worker)
    assert word == "taken"
    with database.transaction() as session:
        run = runs.load(session, run_id)
        assert (run.status, run.claim_id, run.starts) == ("running", claim_id, 1)
        assert jobs.claim_of(session, jobs.key("run", run_id)) == claim_id
        assert jobs.live_workers(session) == 1
    parents = subprocess.run(["ps", "-A", "-o", "ppid="], capture_output=True, text=True, check=True).stdout
    assert str(worker.pid) not in parents.split(), "a child of its own would outlive a worker that is killed"
    (tmp_path / "finish").touch()
    assert _said(worker) == ["finished", claim_id]
    # Told to end, it ends in good order.
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert _jobs(database) == [("training", "drill.run", "succeeded")]


def test_a_worker_begins_although_its_connections_were_cut_meanwhile(database: Database) -> None:
    async def begin() -> None:
        async with jobs.chancy_app(database.url) as app:
            await app.get_all_queues()  # its pool holds a connection now
            _cut_connections(database)
            await app.declare(jobs.NOBODYS)

    asyncio.run(begin())


@pytest.mark.slow
def test_a_worker_whose_connections_are_cut_stays_and_takes_the_next_job(
    database: Database,
    owner: str,
    dataset: Dataset,
    tmp_path: Path,
    start_worker: Callable[[], subprocess.Popen[str]],
) -> None:
    worker = start_worker()
    (tmp_path / "finish").touch()
    for _ in range(2):
        run_id = _fresh_run(database, owner, dataset)
        _enqueue_drill(database, run_id, tmp_path / "finish")
        word, claim_id = _said(worker)
        assert (word, _said(worker)) == ("taken", ["finished", claim_id])
        _cut_connections(database)
    # Every part of the worker has needed the database by now.
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(jobs.HEARTBEAT_SECONDS + 1.5)


@pytest.mark.slow
def test_a_paused_worker_that_was_replaced_publishes_nothing(
    database: Database,
    owner: str,
    dataset: Dataset,
    tmp_path: Path,
    start_worker: Callable[[], subprocess.Popen[str]],
) -> None:
    """SIGSTOP … SIGCONT around a take-over; the dead-worker time-out is skipped by moving its last heartbeat."""
    paused = start_worker()
    run_id = _fresh_run(database, owner, dataset)
    _enqueue_drill(database, run_id, tmp_path / "finish")
    first = _said(paused)[1]
    paused.send_signal(signal.SIGSTOP)
    try:
        with database.transaction() as session:
            session.execute(
                text("UPDATE chancy_workers SET last_seen = now() - interval '1 hour', expires_at = now()")
            )
            session.execute(text("DELETE FROM chancy_leader"))
        successor = start_worker()
        word, second = _said(successor)
        assert (word, second != first) == ("taken", True)
    finally:
        paused.send_signal(signal.SIGCONT)
    (tmp_path / "finish").touch()
    assert _said(successor) == ["finished", second]
    with database.transaction() as session:
        run = runs.load(session, run_id)
        assert (run.status, run.claim_id, run.starts) == ("succeeded", second, 2)
    paused.send_signal(signal.SIGTERM)
    assert "finished" not in paused.communicate(timeout=30)[0]


@pytest.mark.slow
def test_after_kill_9_of_its_worker_the_job_goes_on_with_another_within_a_minute_whatever_clocks_said(
    database: Database,
    owner: str,
    dataset: Dataset,
    tmp_path: Path,
    start_worker: Callable[[], subprocess.Popen[str]],
) -> None:
    killed = start_worker()
    run_id = _fresh_run(database, owner, dataset)
    _enqueue_drill(database, run_id, tmp_path / "finish")
    first = _said(killed)[1]
    killed.kill()
    with database.transaction() as session:
        # It led, by a clock of its own that was hours ahead; and the database's has been set back since.
        session.execute(text("DELETE FROM chancy_leader"))
        lease = (
            "INSERT INTO chancy_leader (id, worker_id, expires_at) VALUES (1, 'it', now() + interval '5 h')"
        )
        session.execute(text(lease))
        session.execute(text("UPDATE chancy_workers SET last_seen = last_seen + interval '5 h'"))
    successor = start_worker()
    began = time.monotonic()
    word, second = _said(successor)
    assert word == "taken"
    assert second != first
    assert time.monotonic() - began < 60
    (tmp_path / "finish").touch()
    assert _said(successor) == ["finished", second]
    with database.transaction() as session:
        assert runs.load(session, run_id).starts == 2


def _taken_by_somebody(database: Database, up_seconds: int) -> None:
    """All jobs are; the server's start time is shadowed by one of our own."""
    with database.transaction() as session:
        session.execute(text("UPDATE chancy_jobs SET state = 'running', taken_by = 'somebody'"))
        session.execute(text("CREATE SCHEMA clock"))
        session.execute(
            text(
                "CREATE FUNCTION clock.pg_postmaster_start_time() RETURNS timestamptz LANGUAGE sql"
                f" RETURN now() - interval '{up_seconds} seconds'"
            )
        )


def _recovered(database: Database, timeout: int) -> int:
    """How many jobs a leader takes from workers that were not heard of for so many seconds."""

    async def recover() -> int:
        async with jobs.chancy_app(database.url) as app, app.pool.connection() as connection:
            await connection.execute("SET search_path = clock, pg_catalog, public")
            worker = jobs.make_worker(app, signals=False)
            worker.heartbeat_timeout = timeout
            async with connection.cursor(row_factory=dict_row) as cursor:
                found: int = await app.plugins["chancy.recovery"].recover(worker, app, cursor)
                return found

    return asyncio.run(recover())


@pytest.mark.parametrize(("up_seconds", "recovered"), [(3, 0), (60, 1)])
def test_when_the_database_has_just_come_back_no_worker_is_taken_for_dead(
    up_seconds: int, recovered: int, database: Database, new_run: Callable[[], Run]
) -> None:
    """Nobody could be heard of while it was away."""
    new_run()
    _taken_by_somebody(database, up_seconds)
    assert _recovered(database, jobs.HEARTBEAT_TIMEOUT) == recovered


def test_a_worker_that_stands_still_in_a_transaction_keeps_its_job_from_nobody(
    database: Database, new_run: Callable[[], Run]
) -> None:
    new_run()
    _taken_by_somebody(database, 60)
    with psycopg.connect(database.url, application_name=f"{WORKER_SESSION}somebody") as halted:
        halted.execute("SELECT FROM chancy_jobs FOR UPDATE")
        assert _recovered(database, timeout=60) == 0
        time.sleep(1.1)
        wait_until(lambda: _recovered(database, timeout=1) == 1, 10)
        with pytest.raises(psycopg.OperationalError):
            halted.execute("SELECT 1")


def test_migrating_the_queue_again_is_no_change(database: Database) -> None:
    asyncio.run(asyncio.to_thread(jobs.migrate, database.url))
    with database.engine.connect() as connection:
        assert jobs.is_migrated(connection)
        connection.execute(text("UPDATE chancy_schema_version SET version = version - 1"))
        assert not jobs.is_migrated(connection)


def test_a_cancelled_run_is_refused_to_the_worker_that_gets_its_job(
    database: Database, new_run: Callable[[], Run]
) -> None:
    run = new_run()
    with database.transaction() as session:
        claims.request_stop(session, Run, run.id)
        assert claims.claim(session, Run, run.id, "any", 5) is None
