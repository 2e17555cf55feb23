"""A job's process that dies costs one run at most, never the worker."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.settings import Settings
from backend.store import claims, datasets, runs
from backend.store.database import Database
from backend.store.tables import Dataset, Run
from tests.drills.topology import children_of
from tests.installation import wait_until
from worker import jobs


@pytest.mark.slow
def test_one_killed_for_its_memory_is_tried_once_more_with_half_the_batch_and_a_stuck_one_is_ended(
    digits: str,
    queue_run: Callable[..., str],
    run_row: Callable[[str], Run],
    start_worker: Callable[[], subprocess.Popen[bytes]],
    settings: Settings,
    database: Database,
    owner: str,
) -> None:
    run_id = queue_run(digits, "ce", epochs=300, batch_size=128, width=4)
    worker = start_worker()

    def trained() -> int:
        return int(run_row(run_id).progress.get("epoch") or 0)

    def kill() -> None:
        # As the system does that has none left.
        (child,) = children_of(worker.pid)
        os.kill(child, signal.SIGKILL)

    wait_until(lambda: trained() >= 1, 60)
    reached = trained()
    kill()
    wait_until(lambda: trained() > reached, 60)
    run = run_row(run_id)
    assert run.starts == 1
    assert "with batches of 128 images; went on with 64" in run.progress["message"]
    kill()
    wait_until(lambda: run_row(run_id).status == "failed", 20)
    run = run_row(run_id)
    assert run.error is not None
    assert run.error["code"] == "OUT_OF_MEMORY"
    assert worker.poll() is None
    assert list((settings.data / "scratch").iterdir()) == []

    # One that is stuck where it cannot look whether it should go on: its worker sees to it.
    stuck = queue_run(digits, epochs=300)
    wait_until(lambda: run_row(stuck).status == "running", 30)
    (child,) = children_of(worker.pid)
    os.kill(child, signal.SIGSTOP)
    with database.transaction() as session:
        runs.request_stop(session, owner, stuck)
    # 10 are promised, on busy machines too.
    wait_until(lambda: run_row(stuck).status == "cancelled" and not children_of(worker.pid), 8)
    wait_until(lambda: list((settings.data / "scratch").iterdir()) == [], 5)


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT])
def test_a_process_that_crashed_in_foreign_code_or_was_killed_is_tried_once_more(
    by: signal.Signals,
    database: Database,
    owner: str,
    settings: Settings,
    run_row: Callable[[str], Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noted = settings.data / "noted"
    monkeypatch.setenv("CRASH_BY", str(int(by)))
    monkeypatch.setenv("CRASH_LOG", str(noted))
    with database.transaction() as session:
        dataset = datasets.create(session, owner, "none", {"kind": "folder"}).id
        claims.claim(session, Dataset, dataset, "import", 5)
        claims.finish(session, Dataset, dataset, "import", "ready", sample_count=1)
        run_id = runs.create(session, owner, dataset, "fast", {}, 0).id
        claims.claim(session, Run, run_id, "one", 5)
    begun = jobs._in_subprocess("tests.worker.crashing", Run, run_id, "one", then=jobs.SMALLER)
    with ThreadPoolExecutor(1) as thread:  # a browser's event loop may run in this one
        thread.submit(asyncio.run, begun).result()
    assert noted.read_text().splitlines() == ["one", "one --smaller"]
    assert run_row(run_id).status == "running"
