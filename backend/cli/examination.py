"""What `noise-audit doctor` looks at, one check a function; each says what it found and how to mend it.

Nothing is changed; the embedded PostgreSQL is started for as long as it is looked at, where it does not run.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import SystemRandom
from typing import Literal, NamedTuple

import httpx
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from backend.api.openapi import DASHBOARD
from backend.audit.errors import NoiseAuditError, NotFound, Unavailable
from backend.cli.supervisor import address_of
from backend.settings import Settings, unknown_variables
from backend.store import jobs
from backend.store.artifacts import Artifacts
from backend.store.database import OLDEST_SERVER, Database, is_migrated, server
from backend.store.postgres import EmbeddedPostgres

State = Literal["fine", "look", "wrong"]

SAMPLED_BYTES = 2e9
"""Of the stored files so much is read unless all is asked for: some seconds."""
NOT_SEALED = ("uploads/", "probe/")
"""Uploads have the digest of what arrived, and are compared with it when they are used."""
NAMED = 10
FREE_SHARE = 0.10
"""Uploads are refused below this share of free space."""
CLOCK_SECONDS = 5.0
"""Sign-ins and heartbeats are told by the database's clock; so far apart they come out wrong."""
STUCK_SECONDS = 60.0
"""A job that waits longer although workers are idle is stuck: they look within a few seconds."""
DEVICE_SECONDS = 120
"""Loading torch takes a while on a slow disk."""


class Finding(NamedTuple):
    """One thing looked at. `state`: fine, worth a look, or wrong; `mend` says what to do about it."""

    what: str
    state: State
    said: str
    mend: str = ""


def examine(load: Callable[[], Settings], most_bytes: float = SAMPLED_BYTES) -> list[Finding]:
    """Everything, in the order in which one would mend it; `load` reads the settings.

    Of the stored files at most so many bytes are read.
    """
    try:
        settings = load()
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(["NOISE_AUDIT", *(str(part).upper() for part in first["loc"])])
        return [Finding("settings", "wrong", f"{name}: {first['msg']}", "Correct it or leave it out.")]
    return [
        *variables(),
        *data_folder(settings),
        *artifact_store(settings, most_bytes),
        *database_of(settings),
        *dashboard(),
        *backend(settings),
        *device(settings),
    ]


def variables() -> Iterator[Finding]:
    """Whether every variable of the environment that looks like ours is one."""
    unknown = unknown_variables()
    if unknown:
        listed = ", ".join(unknown[:10])
        mend = "Correct the name (docs/guide.md lists them all) or leave it out."
        yield Finding("settings", "wrong", f"Not known: {listed}", mend)
    else:
        yield Finding("settings", "fine", "Every NOISE_AUDIT_ variable is known and well formed.")


def data_folder(settings: Settings) -> Iterator[Finding]:
    """Rights and space."""
    data = settings.data
    if not data.exists():
        yield Finding("data folder", "look", f"{data} is not there yet.", "`noise-audit up` makes it.")
        return
    probe = data / f".doctor-{secrets.token_hex(4)}"
    try:
        probe.write_bytes(b"probe")
        probe.unlink()
    except OSError as error:
        mend = f"Give this user the right to write there: chown -R {os.geteuid()} {data}, or make space."
        yield Finding("data folder", "wrong", f"{data} cannot be written: {error.strerror}.", mend)
        return
    disk = shutil.disk_usage(data)
    free = f"{disk.free / 1e9:,.1f} GB of {disk.total / 1e9:,.1f} GB free"
    if disk.free < FREE_SHARE * disk.total:
        mend = "Make space, or delete datasets and runs; below 10 % uploads are refused."
        yield Finding("data folder", "wrong", f"{data}: only {free}.", mend)
    else:
        yield Finding("data folder", "fine", f"{data}: {free}.")


def artifact_store(settings: Settings, most_bytes: float = SAMPLED_BYTES) -> Iterator[Finding]:
    """Whether a probe can be written, read and removed, and the stored files are what was written."""
    where = settings.artifacts or "the data folder"
    if not settings.artifacts and not settings.data.exists():
        return
    key = f"probe/{secrets.token_hex(8)}"
    try:
        store = Artifacts.open(settings.artifacts, settings.data)
        store.put(key, b"probe")
        whole = store.get(key) == b"probe"
        store.delete(key)
    except NoiseAuditError as error:
        mend = "Check NOISE_AUDIT_ARTIFACTS, the AWS_* variables, and the rights on the bucket or folder."
        yield Finding("artifacts", "wrong", f"{where}: {error.code}: {error.message}", mend)
    except OSError as error:
        mend = "Give this user the right to write there, or name another folder."
        yield Finding("artifacts", "wrong", f"{where} cannot be written: {error.strerror}.", mend)
    else:
        state: State = "fine" if whole else "wrong"
        yield Finding("artifacts", state, f"{where}: written, read and removed a probe.")
        yield from stored_files(store, most_bytes)


def stored_files(store: Artifacts, most_bytes: float) -> Iterator[Finding]:
    """Whether what is stored is what was written, of as much as may be read; chosen anew each time."""
    stored = [each for each in store.stored("") if not each.key.startswith(NOT_SEALED)]
    SystemRandom().shuffle(stored)
    found: dict[str, list[str]] = {"whole": [], "damaged": [], "unsealed": []}
    read = 0
    for each in stored:
        if read and read + each.size > most_bytes:
            continue
        read += each.size
        try:
            found[store.state(each.key)].append(each.key)
        except NotFound:
            # Deleted meanwhile.
            continue
        except Unavailable as error:
            mend = "Check the disk, or the bucket's rights."
            yield Finding("stored files", "wrong", f"{each.key}: {error.code}: {error.message}", mend)
            return
    total = sum(each.size for each in stored)
    said = f"read {read / 1e9:,.1f} of {total / 1e9:,.1f} GB"
    if read < total:
        said += " (--all reads everything)"
    if found["unsealed"]:
        said += f"; {len(found['unsealed'])} are older than the seals and cannot be compared"
    if damaged := sorted(found["damaged"]):
        listed = ", ".join(damaged[:NAMED]) + (" …" if len(damaged) > NAMED else "")
        mend = "Restore a backup, or import that dataset or start that run again and delete the damaged one."
        yield Finding("stored files", "wrong", f"{len(damaged)} damaged: {listed}; {said}.", mend)
    else:
        yield Finding("stored files", "fine", f"Nothing is damaged; {said}.")


def database_of(settings: Settings) -> Iterator[Finding]:
    """Server, clock, tables, workers and queue."""
    embedded = None if settings.database_url else EmbeddedPostgres(settings.data / "postgres")
    if embedded and not embedded.is_made():
        yield Finding("database", "look", "None was made here yet.", "`noise-audit up` makes it.")
        return
    try:
        database = Database(embedded.start() if embedded else settings.database_url)
    except NoiseAuditError as error:
        yield Finding("database", "wrong", f"{error.code}: {error.message}", error.hint)
        return
    try:
        yield from _rows(database)
    except (NoiseAuditError, SQLAlchemyError) as error:
        said = f"{error.code}: {error.message}" if isinstance(error, NoiseAuditError) else str(error)[:300]
        mend = "Start PostgreSQL, and check NOISE_AUDIT_DATABASE_URL and PGPASSWORD."
        yield Finding("database", "wrong", said, mend)
    finally:
        database.dispose()
        if embedded:
            embedded.stop()


def _rows(database: Database) -> Iterator[Finding]:
    with database.transaction() as session:
        found = server(session)
        apart = (datetime.now(UTC) - found.now).total_seconds()
    if found.version < OLDEST_SERVER:
        mend = f"Use PostgreSQL {OLDEST_SERVER} or later (18 is what is tested)."
        yield Finding("database", "wrong", f"PostgreSQL {found.version} is too old.", mend)
    else:
        yield Finding("database", "fine", f"PostgreSQL {found.version} answers.")
    if found.broken_pages:
        said = f"{found.broken_pages} times a page was not as it was written."
        yield Finding("pages", "wrong", said, "Look at the disk; restore a backup; its log names the pages.")
    elif found.checksums:
        yield Finding("pages", "fine", "Checked whenever they are read; none was damaged.")
    else:
        said = "The database has no checksums: a page that rots on the disk is read as it is."
        yield Finding("pages", "look", said, "Stop it and run pg_checksums --enable.")
    if abs(apart) > CLOCK_SECONDS:
        mend = "Let both machines keep time by NTP; sign-ins and heartbeats depend on it."
        yield Finding("clock", "wrong", f"{abs(apart):.0f} s off the database's clock.", mend)
    else:
        yield Finding("clock", "fine", "Agrees with the database's.")
    if not is_migrated(database.url):
        mend = "Run: noise-audit migrate (after a backup by the version that wrote it)."
        yield Finding("tables", "wrong", "They are not those of this version.", mend)
        return
    yield Finding("tables", "fine", "They are those of this version.")
    yield from _queue(database)


def _queue(database: Database) -> Iterator[Finding]:
    with database.transaction() as session:
        workers, queue = jobs.live_workers(session), jobs.queue_state(session)
        forgotten = jobs.forgotten(session)
    waits = f"{queue.waiting} waiting, {queue.running} running"
    if workers == 0:
        state: State = "wrong" if queue.waiting or queue.running else "look"
        mend = "Start one: noise-audit worker (or `noise-audit up`, which starts one)."
        yield Finding("workers", state, f"None is alive; {waits}.", mend)
    else:
        yield Finding("workers", "fine", f"{workers} alive.")
    if workers > queue.running and queue.oldest_waiting_seconds > STUCK_SECONDS:
        mend = "Look into the workers' logs and start them again; jobs in hand go back to the queue."
        said = f"A job has waited {queue.oldest_waiting_seconds:.0f} s although a worker is idle; {waits}."
        yield Finding("queue", "wrong", said, mend)
    else:
        yield Finding("queue", "fine", f"{waits}.")
    if forgotten:
        said = f"Under way, but without a job: {', '.join(forgotten[:5])} ({len(forgotten)} in all)."
        yield Finding("jobs", "wrong", said, "Stop them and start them again; nothing works on them.")


def dashboard() -> Iterator[Finding]:
    """Whether its pages are there."""
    if (DASHBOARD / "index.html").exists():
        yield Finding("dashboard", "fine", "Built.")
    else:
        mend = "In a checkout: make dashboard. Else install the package again."
        yield Finding("dashboard", "wrong", "Its pages were never built.", mend)


def backend(settings: Settings) -> Iterator[Finding]:
    """Whether one answers where this installation's would."""
    url = address_of(settings)
    headers = {"Host": settings.public_host} if settings.public_host else {}
    try:
        answer = httpx.get(f"{url}/health/ready", headers=headers, timeout=5, trust_env=False)
    except httpx.TransportError:
        yield Finding("backend", "look", f"Nothing answers at {url}.", "Start it: noise-audit up, or serve.")
        return
    if answer.is_success:
        yield Finding("backend", "fine", f"Ready at {url}.")
    else:
        yield Finding("backend", "wrong", f"{url} is not ready: {answer.text[:200]}", "Its log says why.")


def device(settings: Settings) -> Iterator[Finding]:
    """Whether this machine can compute; asked in a process of the compute side."""
    command = [sys.executable, "-m", "worker.doctor", settings.device]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=DEVICE_SECONDS, check=False)
        found = json.loads(asked.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        found = {"ok": False, "torch": None, "device": settings.device, "error": "it did not answer"}
    if found["ok"]:
        yield Finding("device", "fine", f"{found['device']}, torch {found['torch']}.")
    elif found["torch"] is None:
        mend = "Right where no worker runs; a worker needs: pip install 'noise-audit[worker]'"
        yield Finding("device", "look", f"Nothing computes on this machine ({found['error']}).", mend)
    else:
        mend = "Set NOISE_AUDIT_DEVICE to one that this machine has, or to auto; check the driver."
        yield Finding("device", "wrong", f"{found['device']}: {found['error']}", mend)
