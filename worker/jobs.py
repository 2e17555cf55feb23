"""The job functions that Chancy calls: each starts one subprocess, waits for it, and never computes itself.

A crash, an out-of-memory kill or a segfault of the subprocess costs one run, never the worker.
Annotations are evaluated here: Chancy passes the job itself where it finds its class.
"""

import asyncio
import logging
import signal
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chancy.job import QueuedJob
from sqlalchemy.orm import Session

from backend.logs import RELAYED
from backend.processes import dies_with_parent
from backend.settings import Settings
from backend.store import claims, duplicates
from backend.store.database import Database
from backend.store.tables import Dataset, Preflight, Run

log = logging.getLogger(__name__)

TERM_SECONDS = 5.0
"""A subprocess has so long to leave after SIGTERM before it is killed."""
GIVES_WAY = 10
"""A job takes whatever time nobody else wants: on a machine that also serves people, they come first."""
TAIL_LINES = 20
"""Of a crashed subprocess's error output, so much goes into the log."""


async def run_audit(*, job: QueuedJob, run_id: str) -> None:
    """Execute one run in a process of its own."""
    await _in_subprocess("worker.execute", Run, run_id, str(job.claim_id))


async def run_import(*, job: QueuedJob, dataset_id: str) -> None:
    """Prepare one dataset in a process of its own."""
    await _in_subprocess("worker.prepare", Dataset, dataset_id, str(job.claim_id))


async def run_preflight(*, job: QueuedJob, preflight_id: str) -> None:
    """Look at files before they become a dataset, in a process of its own."""
    await _in_subprocess("worker.preflight", Preflight, preflight_id, str(job.claim_id))


async def find_duplicates(*, job: QueuedJob, dataset_id: str) -> None:
    """Search a dataset for duplicates in a process of its own, which writes what it found or why not."""
    process = await _started("worker.duplicates", dataset_id)
    try:
        await asyncio.gather(_relay(process, deque(maxlen=TAIL_LINES)), process.wait())
    except asyncio.CancelledError:
        await _end(process)
        raise
    if process.returncode and process.returncode < 0:
        with _transaction() as session:
            duplicates.fail(session, dataset_id, _crash(process.returncode))


async def _started(module: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stderr=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=dies_with_parent(signal.SIGKILL, gives_way=GIVES_WAY),
    )


async def _in_subprocess(module: str, table: claims.Table, id_: str, claim_id: str) -> None:
    process = await _started(module, id_, claim_id)
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        await asyncio.gather(_relay(process, tail), process.wait())
    except asyncio.CancelledError:
        log.info("%s %s: the worker leaves, the job goes back", module, id_)
        await _end(process)
        await asyncio.to_thread(_give_back, table, id_, claim_id)
        raise
    if process.returncode:
        log.error("%s %s ended with %s: %s", module, id_, process.returncode, "\n".join(tail))
        await asyncio.to_thread(_record_crash, table, id_, claim_id, process.returncode)


async def _relay(process: asyncio.subprocess.Process, tail: deque[str]) -> None:
    """Pass the subprocess's log on to ours, remembering its end."""
    assert process.stderr is not None
    async for raw in process.stderr:
        line = raw.decode(errors="replace").rstrip()
        tail.append(line)
        log.info("%s", line, extra={RELAYED: True})


async def _end(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, then SIGKILL; the process is gone when this returns."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), TERM_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _give_back(table: claims.Table, id_: str, claim_id: str) -> None:
    """The worker is stopping in good order: this start does not count against the job."""
    with _transaction() as session:
        claims.give_back(session, table, id_, claim_id)


def _record_crash(table: claims.Table, id_: str, claim_id: str, returncode: int) -> None:
    """The subprocess died without a word: say so on the row, if it is still ours and unfinished."""
    with _transaction() as session:
        claims.fail(session, table, id_, claim_id, _crash(returncode))


def _crash(returncode: int) -> dict[str, Any]:
    if returncode == -signal.SIGKILL:
        return {
            "code": "OUT_OF_MEMORY",
            "message": "The process of this job was killed, most likely because memory ran out.",
            "hint": "Use a smaller batch_size or width, or a machine with more memory.",
        }
    return {
        "code": "CRASHED",
        "message": f"The process of this job ended unexpectedly (exit status {returncode}).",
        "hint": "The worker's log holds the last lines it wrote.",
    }


@contextmanager
def _transaction() -> Iterator[Session]:
    database = Database(Settings().database_url)
    try:
        with database.transaction() as session:
            yield session
    finally:
        database.dispose()
