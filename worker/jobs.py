"""The job functions that Chancy calls: each starts one subprocess, waits for it, and never computes itself.

A crash, an out-of-memory kill or a segfault of the subprocess costs one run, never the worker.
Annotations are evaluated here: Chancy passes the job itself where it finds its class.
"""

import asyncio
import logging
import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from chancy.job import QueuedJob
from sqlalchemy.orm import Session

from backend.audit.errors import Unavailable
from backend.logs import RELAYED
from backend.processes import dies_with_parent
from backend.settings import Settings
from backend.store import claims, duplicates
from backend.store.database import Database
from backend.store.tables import Dataset, Preflight, Run
from worker.scratch import sweep

log = logging.getLogger(__name__)

MEMORY_WORDS = ("MemoryError", "bad_alloc", "allocate memory", "not enough memory", "Thread creation failed")
"""What Python, C++, the system, torch and OpenMP say last when they get no memory."""
IN_FOREIGN_CODE = (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT)
"""How a process ends whose libraries go on without the memory that they did not get, or give up; and by other faults."""
SMALLER = "--smaller"
"""Tells `worker.execute` that its forerunner was killed, or crashed."""
POLL_SECONDS = 1.0
"""How often a row is asked whether its job is to stop."""
LEAVE_SECONDS = 3.0
"""A subprocess, which asks its row too, has so long to stop by itself."""
STOP_SECONDS = 2.0
"""And so long after SIGTERM, before it is killed: all together under 7 s, so that a busy machine stops it within 10 too."""
TERM_SECONDS = 5.0
"""A subprocess has so long to leave after SIGTERM when its worker leaves."""
GIVES_WAY = 5
"""On a machine that also serves people, they come first: where both want the processor a job gets a quarter of it. Not
less, or it would hardly go on beside other people's work."""
TAIL_LINES = 20
"""Of a crashed subprocess's error output, so much goes into the log."""


async def run_audit(*, job: QueuedJob, run_id: str) -> None:
    """Execute one run in a process of its own; once more with less memory when the first was killed for it."""
    await _in_subprocess("worker.execute", Run, run_id, str(job.claim_id), then=SMALLER)


async def run_import(*, job: QueuedJob, dataset_id: str) -> None:
    """Prepare one dataset in a process of its own."""
    await _in_subprocess("worker.prepare", Dataset, dataset_id, str(job.claim_id))


async def run_preflight(*, job: QueuedJob, preflight_id: str) -> None:
    """Look at files before they become a dataset, in a process of its own."""
    await _in_subprocess("worker.preflight", Preflight, preflight_id, str(job.claim_id))


async def find_duplicates(*, job: QueuedJob, dataset_id: str) -> None:
    """Search a dataset for duplicates in a process of its own, which writes what it found or why not."""
    process = await _started("worker.duplicates", dataset_id)
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    try:
        await asyncio.gather(_relay(process, tail), process.wait())
    except asyncio.CancelledError:
        await _end(process)
        raise
    if process.returncode and process.returncode < 0:
        with _transaction() as session:
            duplicates.fail(session, dataset_id, _crash(process.returncode, tail))


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


async def _in_subprocess(
    module: str, table: claims.Table, id_: str, claim_id: str, *, then: str | None = None
) -> None:
    """Do the job in a process; one that may have died for its memory is tried once more, told `then`, where there is one."""
    returncode, tail = await _attempt(module, table, id_, claim_id)
    starved = _died_for_memory(returncode, tail) or returncode in IN_FOREIGN_CODE
    if then is not None and starved and not await asyncio.to_thread(_stops, table, id_):
        log.warning("%s %s ended with %s, perhaps for its memory: once more", module, id_, returncode)
        returncode, tail = await _attempt(module, table, id_, claim_id, then)
    if returncode:
        log.error("%s %s ended with %s: %s", module, id_, returncode, "\n".join(tail))
        await asyncio.to_thread(_record_crash, table, id_, claim_id, _crash(returncode, tail))


async def _attempt(
    module: str, table: claims.Table, id_: str, claim_id: str, *more: str
) -> tuple[int | None, deque[str]]:
    """How the process ended, and its last lines."""
    process = await _started(module, id_, claim_id, *more)
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    watching = asyncio.create_task(_stop_with_its_job(process, table, id_))
    try:
        await asyncio.gather(_relay(process, tail), process.wait())
    except asyncio.CancelledError:
        log.info("%s %s: the worker leaves, the job goes back", module, id_)
        await _end(process)
        await asyncio.to_thread(_give_back, table, id_, claim_id)
        raise
    finally:
        watching.cancel()
    if process.returncode:
        # What it would have removed itself had it not been killed.
        await asyncio.to_thread(sweep, Settings().data)
    return process.returncode, tail


async def _stop_with_its_job(process: asyncio.subprocess.Process, table: claims.Table, id_: str) -> None:
    """End the process when its job is to stop and it does not by itself: it may be deep in foreign code, or begin."""
    # Each question has a connection of its own: one that is still asked when the job ends closes what it opened.
    while not await asyncio.to_thread(_stop_requested, table, id_):
        await asyncio.sleep(POLL_SECONDS)
    await asyncio.sleep(LEAVE_SECONDS)
    log.info("%s %s does not stop by itself and is ended", table.__tablename__, id_)
    await _end(process, STOP_SECONDS)


def _stop_requested(table: claims.Table, id_: str) -> bool:
    try:
        return _stops(table, id_)
    except Unavailable:
        # The database is away; the work goes on.
        return False


async def _relay(process: asyncio.subprocess.Process, tail: deque[str]) -> None:
    """Pass the subprocess's log on to ours, remembering its end."""
    assert process.stderr is not None
    async for raw in process.stderr:
        line = raw.decode(errors="replace").rstrip()
        tail.append(line)
        log.info("%s", line, extra={RELAYED: True})


async def _end(process: asyncio.subprocess.Process, seconds: float = TERM_SECONDS) -> None:
    """SIGTERM, and SIGKILL so many seconds later; the process is gone when this returns."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()


def _stops(table: claims.Table, id_: str) -> bool:
    with _transaction() as session:
        return claims.stop_requested(session, table, id_)


def _give_back(table: claims.Table, id_: str, claim_id: str) -> None:
    """The worker is stopping in good order: this start does not count against the job."""
    with _transaction(claims.session_name(claim_id)) as session:
        claims.give_back(session, table, id_, claim_id)


def _record_crash(table: claims.Table, id_: str, claim_id: str, error: dict[str, Any]) -> None:
    """The subprocess died without a word: say so on the row, if it is still ours and unfinished."""
    with _transaction(claims.session_name(claim_id)) as session:
        claims.fail(session, table, id_, claim_id, error)


def _died_for_memory(returncode: int | None, tail: Iterable[str]) -> bool:
    """Whether the system killed it, as it does when it has no memory left, or its last words speak of that."""
    if returncode == -signal.SIGKILL:
        return True
    return bool(returncode) and any(words in line for line in tail for words in MEMORY_WORDS)


def _crash(returncode: int, tail: Iterable[str]) -> dict[str, Any]:
    if _died_for_memory(returncode, tail):
        return {
            "code": "OUT_OF_MEMORY",
            "message": "The process of this job came to an end, most likely because memory ran out.",
            "hint": "Use a smaller batch_size or width, or a machine with more memory.",
        }
    return {
        "code": "CRASHED",
        "message": f"The process of this job ended unexpectedly (exit status {returncode}).",
        "hint": "The worker's log holds the last lines it wrote.",
    }


@contextmanager
def _transaction(known_as: str = "noise-audit") -> Iterator[Session]:
    database = Database(Settings().database_url, known_as)
    try:
        with database.transaction() as session:
            yield session
    finally:
        database.dispose()
