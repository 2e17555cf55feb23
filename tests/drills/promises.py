"""The promises of reliability, each with the drill that hits it and how often it is asked to hold.

A drill gives how often it hit, what it found wrong (nothing, one hopes), and the figure it reached.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sqlalchemy import text

from backend.audit.errors import ClaimLost
from backend.store import accounts, claims, datasets, results, runs
from backend.store import uploads as stored_uploads
from backend.store.database import is_migrated
from backend.store.tables import Dataset, Run
from noise_audit import Client
from tests.drills.topology import Part, Topology, finished
from tests.installation import run_command

JOB_SECONDS = 300
"""So long one job may take to its end on a busy machine once nothing hits it any more."""
CANCEL_SECONDS = 10.0
RESUME_SECONDS = 60.0
AWAY_SECONDS = 60.0


class Reached(NamedTuple):
    """What a drill found: how often it hit, what was wrong, and its figure in words."""

    times: int
    wrong: list[str]
    figure: str


class Promise(NamedTuple):
    """One line of the table. `asked`: how often it must hold in the full version."""

    name: str
    asked: int
    drill: Callable[[Topology, int, random.Random], Reached]


def accepted_jobs_survive(top: Topology, times: int, rng: random.Random) -> Reached:
    """kill -9 of a worker, a backend or the database at random moments while jobs are handed in."""
    accepted: list[str] = []
    hits = {"worker": 0, "backend": 0, "database": 0}
    for _ in range(times):
        under_way = [id_ for id_ in accepted if top.state("dataset", id_) == "importing"]
        if len(under_way) < 2:
            made = top.post("/api/datasets/builtin/digits", {"noise_rate": 0.1, "seed": len(accepted)})
            if made:
                accepted.append(made["id"])
        time.sleep(rng.uniform(0.2, 4.0))
        role = rng.choice(list(hits))
        hits[role] += 1
        if role == "database":
            top.kill_database(rng.uniform(0.0, 2.0))
        else:
            part = rng.choice(top.workers if role == "worker" else top.backends)
            part.kill()
            part.start()
    ends = {id_: finished(partial(top.state, "dataset", id_), JOB_SECONDS) for id_ in accepted}
    wrong = [f"dataset {id_}: {end}" for id_, end in ends.items() if end != "ready"]
    said = ", ".join(f"{count} × {role}" for role, count in hits.items())
    return Reached(times, wrong, f"{len(wrong)} of {len(accepted)} jobs lost; killed: {said}")


def a_dead_workers_run_goes_on(top: Topology, times: int, rng: random.Random) -> Reached:
    """kill -9 of the worker that holds a run; another begins with it, and at most one epoch is repeated."""
    wrong, slowest = [], 0.0
    for number in range(times):
        run = _start_run(top, number, epochs=8)
        holder = _holder(top, run)
        _wait_for(partial(_has_trained, top, run), JOB_SECONDS)
        time.sleep(rng.uniform(0, 1))
        before, began = _epochs(top, run), time.monotonic()
        first = _claim(top, run)
        top.workers[holder].kill()
        _wait_for(partial(_is_elsewhere, top, run, first), RESUME_SECONDS * 2)
        took = time.monotonic() - began
        slowest = max(slowest, took)
        top.workers[holder].start()
        end = finished(partial(top.state, "run", run), JOB_SECONDS)
        if end != "succeeded" or took > RESUME_SECONDS or _epochs(top, run) < before:
            wrong.append(f"run {run}: {end}, resumed after {took:.0f} s")
    return Reached(times, wrong, f"slowest resumption {slowest:.1f} s")


def one_writer(top: Topology, times: int, rng: random.Random) -> Reached:
    """SIGSTOP of a worker and its job until another has the run, then SIGCONT: the first publishes nothing."""
    wrong = []
    for number in range(times):
        run = _start_run(top, number, epochs=5)
        holder = _holder(top, run)
        time.sleep(rng.uniform(0, 4))
        first = _claim(top, run)
        top.workers[holder].signal_all(signal.SIGSTOP)
        try:
            # As if the heartbeat had been missed for long enough already.
            with top.database.transaction() as session:
                session.execute(
                    text("UPDATE chancy_workers SET expires_at = now(), last_seen = '2000-01-01'")
                )
                session.execute(text("DELETE FROM chancy_leader"))
            _wait_for(partial(_is_elsewhere_or_over, top, run, first), RESUME_SECONDS)
        finally:
            top.workers[holder].signal_all(signal.SIGCONT)
        end = finished(partial(top.state, "run", run), JOB_SECONDS)
        with top.database.transaction() as session:
            rows = session.scalar(text("SELECT count(*) FROM result WHERE run_id = :run"), {"run": run})
        if end != "succeeded" or rows != 1797:
            wrong.append(f"run {run}: {end} with {rows} results")
    return Reached(times, wrong, f"{len(wrong)} stale publishes")


def duplicates_publish_once(top: Topology, times: int, rng: random.Random) -> Reached:
    """The same finished job published by several at once, under the same and under an older claim."""
    wrong = []
    result_N = np.zeros(20, results.RESULT_DTYPE)
    result_N["sample_index"] = np.arange(20)
    with top.database.transaction() as session:
        owner = accounts.ensure_local_account(session).id
        dataset = datasets.create(session, owner, "twenty", {"kind": "folder"}).id
        claims.claim(session, Dataset, dataset, "one", 5)
        claims.finish(session, Dataset, dataset, "one", "ready", sample_count=20)
    for number in range(times):
        with top.database.transaction() as session:
            run = runs.create(session, owner, dataset, "fast", {}, number).id
            claims.claim(session, Run, run, "old", 5)
            claims.claim(session, Run, run, "new", 5)
        published = {"old": 0, "new": 0}

        def publish(claim: str, run: str = run, published: dict[str, int] = published) -> None:
            with contextlib.suppress(ClaimLost), top.database.transaction() as session:
                done = results.publish_results(session, run, claim, result_N, {})
                published[claim] += done

        threads = [threading.Thread(target=publish, args=(claim,)) for claim in ("new", "old", "new")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with top.database.transaction() as session:
            rows = session.scalar(text("SELECT count(*) FROM result WHERE run_id = :run"), {"run": run})
        if published != {"old": 0, "new": 1} or rows != 20:
            wrong.append(f"run {run}: published {published}, {rows} rows")
    return Reached(
        times, wrong, f"{times - len(wrong)} results of {2 * times} deliveries and {times} stale ones"
    )


def checkpoints_survive_kills(top: Topology, times: int, rng: random.Random) -> Reached:
    """kill -9 during the saving of checkpoints."""
    return _files("kills", times, rng)


def writes_may_fail(top: Topology, times: int, rng: random.Random) -> Reached:
    """A write fails after n bytes, for n over the whole length of a checkpoint."""
    return _files("writes", times, rng)


def a_full_disk_is_told(top: Topology, times: int, rng: random.Random) -> Reached:
    """The data folder is a tmpfs that fills up in the middle of a job; with space made the next one succeeds."""
    wrong, data = [], str(top.folder / "data")
    for number in range(times):
        kibibytes = rng.randint(16, 150)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", data]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            return Reached(0, [], "not tried: this user may not mount a tmpfs")
        try:
            full = _imported(top, number)
            subprocess.run(["mount", "-o", "remount,size=256m", data], check=True)
            after = _imported(top, number)
        finally:
            subprocess.run(["umount", "-l", data], check=True)
        if full != "failed DISK_FULL" or after != "ready":
            wrong.append(f"{kibibytes} KiB: {full}, with space {after}")
    return Reached(times, wrong, f"{times - len(wrong)} of {times} told DISK_FULL and went on with space")


def the_database_may_go_away(top: Topology, times: int, rng: random.Random) -> Reached:
    """The database is killed while a run trains and stays away for a minute; the run is never started again."""
    wrong = []
    for number in range(times):
        run = _start_run(top, number, epochs=6)
        _wait_for(partial(_is_running, top, run), JOB_SECONDS)
        # A little less than the patience, which begins before the database is really gone.
        top.kill_database(AWAY_SECONDS - 5)
        end = finished(partial(top.state, "run", run), JOB_SECONDS)
        with top.database.transaction() as session:
            starts = runs.load(session, run).starts
        if end != "succeeded" or starts != 1:
            wrong.append(f"run {run}: {end} after {starts} starts")
    return Reached(times, wrong, f"away for {AWAY_SECONDS - 5:.0f} s, {len(wrong)} runs disturbed")


def cancel_is_quick(top: Topology, times: int, rng: random.Random) -> Reached:
    """Stop an import or a run in whatever state it is."""
    wrong, slowest, states, hit = [], 0.0, set(), 0
    for number in range(times):
        if number % 2:
            table, id_ = "run", _start_run(top, number, epochs=20)
        else:
            made = top.post("/api/datasets/builtin/digits", {"seed": number})
            assert made is not None
            table, id_ = "dataset", str(made["id"])
        time.sleep(rng.uniform(0, 12))
        state = top.state(table, id_)
        began = time.monotonic()
        with top.client() as client:
            answer = client.post(f"/api/{table}s/{id_}/stop", json={})
        if answer.status_code == 409:
            # It was over already, and does not count.
            continue
        hit += 1
        end = finished(partial(top.state, table, id_), 60)
        took = time.monotonic() - began
        slowest = max(slowest, took)
        states.add(f"{table} {state}")
        if end not in ("cancelled", "ready", "succeeded") or took > CANCEL_SECONDS:
            wrong.append(f"{table} {id_} ({state}): {end} after {took:.1f} s")
    return Reached(hit, wrong, f"slowest {slowest:.1f} s; {', '.join(sorted(states))}")


def uploads_resume(top: Topology, times: int, rng: random.Random) -> Reached:
    """kill -9 of the backend while an upload is under way: it goes on, and arrives with the same hash."""
    wrong: list[str] = []
    for number in range(times):
        with tempfile.NamedTemporaryFile(suffix=".zip") as file:
            data = rng.randbytes(48 * 2**20)
            file.write(data)
            file.flush()
            backend, delay, arriving = top.backends[0], rng.uniform(0.0, 0.4), threading.Event()

            def hit(
                backend: Part = backend, delay: float = delay, arriving: threading.Event = arriving
            ) -> None:
                # Not before the first bytes have arrived: until then nothing was promised.
                arriving.wait(60)
                time.sleep(delay)
                backend.kill()
                backend.start()

            hitting = threading.Thread(target=hit)
            hitting.start()
            try:
                with Client(f"http://127.0.0.1:{top.ports[0]}", top.token) as client:
                    made, _ = client._wire.send(
                        Path(file.name), lambda sent, total, arriving=arriving: arriving.set()
                    )
                hitting.join()
                _wait_for(lambda: _ready(top), 60)
                # An upload whose last answer was cut off is completed when it is used.
                top.post("/api/datasets", {"upload_id": made})
                found = hashlib.sha256(top.opened().get(stored_uploads.key(made))).digest()
                if found != hashlib.sha256(data).digest():
                    wrong.append(f"upload {number}: other bytes arrived")
            except Exception as error:  # noqa: BLE001
                wrong.append(f"upload {number}: {type(error).__name__}: {error}")
            finally:
                arriving.set()
                hitting.join()
            _wait_for(lambda: _ready(top), 60)
    return Reached(times, wrong, f"{times - len(wrong)} of {times} arrived whole")


def migrations_survive_kills(top: Topology, times: int, rng: random.Random) -> Reached:
    """kill -9 in the middle of making or updating the tables; the next start finishes it."""
    wrong = []
    for number in range(times):
        name = f"migration_{number}"
        with top.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        url = top.database.url.replace("/noise_audit?", f"/{name}?", 1)
        command = [sys.executable, "-m", "backend.cli", "migrate"]
        environment = {**top.environment, "NOISE_AUDIT_DATABASE_URL": url}
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as hit:
            time.sleep(rng.uniform(0.8, 4.0))
            hit.kill()
        done = run_command("migrate", environment=environment)
        if done.returncode or not is_migrated(url):
            wrong.append(f"migration {number}: {done.stderr[-200:]}")
        with top.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    return Reached(times, wrong, f"{times - len(wrong)} of {times} whole at the next start")


def backups_come_back_equal(top: Topology, times: int, rng: random.Random) -> Reached:
    """`noise-audit backup` while jobs are handed in and worked on, and `restore` into a new data folder."""
    wrong, size = [], 0
    for number in range(times):
        top.post("/api/datasets/builtin/digits", {"seed": number})
        file, data = top.folder / f"backup-{number}.zip", top.folder / f"restored-{number}"
        taken = run_command("backup", str(file), environment=top.environment)
        fresh = {**top.environment, "NOISE_AUDIT_DATABASE_URL": "", "NOISE_AUDIT_ARTIFACTS": ""}
        restored = run_command("restore", str(file), "--data", str(data), environment=fresh)
        if taken.returncode or restored.returncode:
            wrong.append(f"backup {number}: {taken.stderr[-200:]} {restored.stderr[-200:]}")
        else:
            size += file.stat().st_size
    return Reached(times, wrong, f"{times - len(wrong)} of {times} equal, {size / 1e6:.0f} MB")


PROMISES = [
    Promise("an accepted job survives", 500, accepted_jobs_survive),
    Promise("a dead worker's run goes on within 60 s", 20, a_dead_workers_run_goes_on),
    Promise("one writer, over pauses", 200, one_writer),
    Promise("a job delivered twice has one result", 1000, duplicates_publish_once),
    Promise("a checkpoint is valid after a kill", 1000, checkpoints_survive_kills),
    Promise("a failing write leaves nothing corrupt", 1000, writes_may_fail),
    Promise("a full disk is told, and nothing corrupt", 50, a_full_disk_is_told),
    Promise("the database may be away", 10, the_database_may_go_away),
    Promise("cancel within 10 s in every state", 200, cancel_is_quick),
    Promise("an upload resumes after a kill", 200, uploads_resume),
    Promise("a killed migration is finished by the next", 50, migrations_survive_kills),
    Promise("a backup under writes comes back equal", 20, backups_come_back_equal),
]


# --- shared by the drills above --------------------------------------------------------------------


def _files(what: str, times: int, rng: random.Random) -> Reached:
    command = [sys.executable, "-m", "tests.drills.files", what, str(times), str(rng.randrange(2**31))]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Reached(times, said["wrong"], said["figure"])


def _imported(top: Topology, seed: int) -> str:
    """How an import of the digits ended, with its code when it failed."""
    made = top.post("/api/datasets/builtin/digits", {"seed": seed})
    assert made is not None, "no backend accepts anything"
    end = finished(lambda: top.state("dataset", made["id"]), JOB_SECONDS)
    with top.database.transaction() as session:
        error = datasets.load(session, made["id"]).error
    return f"{end} {error['code']}" if error else end


def _start_run(top: Topology, seed: int, *, epochs: int) -> str:
    """A run on the digits, which are imported once for all drills of this topology."""
    with top.database.transaction() as session:
        known = session.scalars(text("SELECT id FROM dataset WHERE status = 'ready' AND sample_count = 1797"))
        dataset = next(iter(known), None)
    if dataset is None:
        made = top.post("/api/datasets/builtin/digits", {"seed": 0})
        assert made is not None, "no backend accepts anything"
        dataset = str(made["id"])
        assert finished(lambda: top.state("dataset", dataset), JOB_SECONDS) == "ready"
    run = top.post(f"/api/datasets/{dataset}/runs", {"settings": {"epochs": epochs}, "seed": seed})
    assert run is not None, "no backend accepts anything"
    return str(run["id"])


def _holder(top: Topology, run: str) -> int:
    """Which worker's process has the run in hand."""
    found: list[int] = []

    def look() -> bool:
        found[:] = [number for number, part in enumerate(top.workers) if part.holds(run)]
        return bool(found) and top.state("run", run) == "running"

    _wait_for(look, JOB_SECONDS)
    return found[0]


def _claim(top: Topology, run: str) -> str | None:
    with top.database.transaction() as session:
        return runs.load(session, run).claim_id


def _epochs(top: Topology, run: str) -> int:
    with top.database.transaction() as session:
        return int(session.scalar(text("SELECT count(*) FROM epoch WHERE run_id = :run"), {"run": run}) or 0)


def _ready(top: Topology) -> bool:
    with contextlib.suppress(Exception), top.client() as client:
        return client.get("/health/ready").is_success
    return False


def _has_trained(top: Topology, run: str) -> bool:
    return _epochs(top, run) >= 1


def _is_running(top: Topology, run: str) -> bool:
    return top.state("run", run) == "running"


def _is_elsewhere(top: Topology, run: str, first: str | None) -> bool:
    return _claim(top, run) != first


def _is_elsewhere_or_over(top: Topology, run: str, first: str | None) -> bool:
    return _is_elsewhere(top, run, first) or top.state("run", run) == "succeeded"


def _wait_for(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
