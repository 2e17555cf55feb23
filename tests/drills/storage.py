"""Drills of what is kept: checkpoints, failing writes, a full disk, bytes that flip, migrations, backups."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psycopg
from sqlalchemy import text

from backend.audit.errors import Damaged, NoiseAuditError
from backend.store.artifacts import SEAL, Artifacts
from backend.store.database import Database, is_migrated
from backend.store.packs import Pack
from backend.store.postgres import EmbeddedPostgres
from tests.drills.reached import Reached
from tests.drills.steps import end_of, few_of, new_import, new_run
from tests.drills.topology import Topology
from tests.installation import run_command


def checkpoints_survive_kills(_: Topology, times: int, rng: random.Random) -> Reached:
    """kill -9 during the saving of checkpoints."""
    return _files("kills", times, rng)


def writes_may_fail(_: Topology, times: int, rng: random.Random) -> Reached:
    """A write fails after n bytes, for n over the whole length of a checkpoint."""
    return _files("writes", times, rng)


def _files(what: str, times: int, rng: random.Random) -> Reached:
    command = [sys.executable, "-m", "tests.drills.files", what, str(times), str(rng.randrange(2**31))]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Reached(times, said["wrong"], said["counts"])


def a_full_disk_is_told(top: Topology, times: int, rng: random.Random) -> Reached:
    """The data folder is a tmpfs that fills up in the middle of a job; with space made the next one succeeds."""
    wrong, data = [], str(top.folder / "data")
    for number in range(times):
        kibibytes = rng.randint(16, 150)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", data]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            return Reached(0, [], remark="not tried: this user may not mount a tmpfs")
        try:
            full = end_of(top, "dataset", new_import(top, number))
            subprocess.run(["mount", "-o", "remount,size=256m", data], check=True)
            spacious = end_of(top, "dataset", new_import(top, number))
        finally:
            subprocess.run(["umount", "-l", data], check=True)
        if full != "failed DISK_FULL" or spacious != "ready":
            wrong.append(f"{kibibytes} KiB: {full}, with space {spacious}")
    return Reached(times, wrong, {"told and recovered": times - len(wrong)})


def flipped_bits_are_noticed(top: Topology, times: int, rng: random.Random) -> Reached:
    """A bit of an artifact or its seal flips below the store; whoever reads it is told, and it is as before afterwards.

    One in four is a thumbnail's that a backend is asked for.
    """
    dataset = few_of(top)
    run = new_run(top, 0, dataset=dataset, epochs=1)
    assert end_of(top, "run", run) == "succeeded"
    # As another process sees it: no seal is known from before.
    objects = top.opened().objects
    keys = [each.key for prefix in (f"datasets/{dataset}", f"runs/{run}") for each in objects.stored(prefix)]
    offset_M = Pack(Artifacts(objects), f"datasets/{dataset}/thumbs")
    wrong: list[str] = []
    counts = {"in artifacts": 0, "in seals": 0, "over HTTP": 0}
    for number in range(times):
        served = number % 4 == 3
        key = f"datasets/{dataset}/thumbs.pack" if served else rng.choice(keys)
        whole = objects.get(key)
        place = rng.randrange(len(whole))
        rotten = bytearray(whole)
        rotten[place] ^= 1 << rng.randrange(8)
        objects.put(key, bytes(rotten), replace=True)
        counts["in seals" if key.endswith(SEAL) else "in artifacts"] += 1
        try:
            if served:
                counts["over HTTP"] += 1
                ends = np.cumsum(offset_M.sizes())
                index = int(np.searchsorted(ends, place, "right"))
                with top.client() as client:
                    answer = client.get(f"/api/datasets/{dataset}/samples/{index}/thumbnail")
                noticed = answer.status_code == 503 and answer.json()["code"] == "ARTIFACT_CORRUPT"
            else:
                noticed = _all_notice(Artifacts(objects), key.removesuffix(SEAL), place)
            if not noticed:
                wrong.append(f"{key}, byte {place}: not noticed")
        finally:
            objects.put(key, whole, replace=True)
    store = Artifacts(objects)
    wrong += [f"{key} is not whole" for key in keys if not key.endswith(SEAL) and store.state(key) != "whole"]
    return Reached(times, wrong, counts)


def _all_notice(store: Artifacts, key: str, place: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        reads = [
            lambda: store.get(key),
            lambda: store.get_range(key, place, place + 1),
            lambda: list(store.chunks(key)),
            lambda: store.download(key, Path(folder) / "file"),
        ]
        return all(_is_damaged(read) for read in reads) and not list(Path(folder).iterdir())


def _is_damaged(read: object) -> bool:
    assert callable(read)
    try:
        read()
    except Damaged:
        return True
    return False


def flipped_pages_are_noticed(top: Topology, times: int, rng: random.Random) -> Reached:
    """A bit of a database's page flips on the disk: a query is told, and never answered with it."""
    wrong = []
    server = EmbeddedPostgres(top.folder / "pages")
    with psycopg.connect(server.start(), autocommit=True) as connection:
        connection.execute("CREATE TABLE noted AS SELECT number FROM generate_series(1, 20000) AS number")
        found = connection.execute("SELECT pg_relation_filepath('noted')").fetchone()
        connection.execute("CHECKPOINT")
    server.stop()
    assert found is not None
    path = top.folder / "pages/cluster" / found[0]
    whole = path.read_bytes()
    for _ in range(times):
        rotten = bytearray(whole)
        place = rng.randrange(len(whole))
        rotten[place] ^= 1 << rng.randrange(8)
        path.write_bytes(rotten)
        database = Database(server.start())
        try:
            with database.transaction() as session:
                total = session.scalar(text("SELECT sum(number) FROM noted"))
            wrong.append(f"byte {place}: answered {total}")
        except NoiseAuditError as error:
            if error.code != "DATABASE_CORRUPT":
                wrong.append(f"byte {place}: {error.code}")
        finally:
            database.dispose()
            server.stop()
            path.write_bytes(whole)
    return Reached(times, wrong, {"told": times - len(wrong)})


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
    return Reached(times, wrong, {"whole at the next start": times - len(wrong)})


def backups_come_back_equal(top: Topology, times: int, rng: random.Random) -> Reached:
    """`noise-audit backup` while jobs are handed in and worked on, and `restore` into a new data folder."""
    wrong, size = [], 0
    for _ in range(times):
        number = rng.randrange(2**31)
        new_import(top, number)
        file, data = top.folder / f"backup-{number}.zip", top.folder / f"restored-{number}"
        taken = run_command("backup", str(file), environment=top.environment)
        fresh = {**top.environment, "NOISE_AUDIT_DATABASE_URL": "", "NOISE_AUDIT_ARTIFACTS": ""}
        restored = run_command("restore", str(file), "--data", str(data), environment=fresh)
        if taken.returncode or restored.returncode:
            wrong.append(f"backup {number}: {taken.stderr[-200:]} {restored.stderr[-200:]}")
        else:
            size += file.stat().st_size
            file.unlink()
    return Reached(times, wrong, {"equal": times - len(wrong), "MB": round(size / 1e6)})
