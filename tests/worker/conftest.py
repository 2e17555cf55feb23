"""Fixtures for the worker's rooms: settings on a fresh database, and an account to own things."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from backend.settings import Settings
from backend.store import accounts, datasets, jobs, runs
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from backend.store.tables import Dataset, Run
from worker import door, prepare


@pytest.fixture
def settings(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation in a temporary folder, also seen by child processes."""
    monkeypatch.setenv("NOISE_AUDIT_DATA", str(tmp_path))
    monkeypatch.setenv("NOISE_AUDIT_DATABASE_URL", database.url)
    monkeypatch.setenv("NOISE_AUDIT_DEVICE", "cpu")
    return Settings()


@pytest.fixture
def owner(database: Database) -> str:
    """Id of an account."""
    with database.transaction() as session:
        return accounts.ensure_local_account(session).id


@pytest.fixture
def digits(settings: Settings, database: Database, owner: str) -> str:
    """Id of the built-in digits with a fifth of the labels redrawn, prepared as a worker does."""
    source = {"kind": "builtin", "name": "digits", "noise_rate": 0.2, "seed": 0}
    with database.transaction() as session:
        dataset_id = datasets.create(session, owner, "digits", source).id
    assert door.enter(Dataset, prepare.prepare, [dataset_id, uuid4().hex]) == 0
    return dataset_id


@pytest.fixture
def queue_run(database: Database, owner: str) -> Callable[..., str]:
    """Makes a queued run with its job, as the backend does."""

    def queue(dataset_id: str, recipe: str = "fast", **config: object) -> str:
        with database.transaction() as session:
            run = runs.create(session, owner, dataset_id, recipe, dict(config), seed=3)
            jobs.enqueue_run(session, run.id)
            return run.id

    return queue


@pytest.fixture
def run_row(database: Database) -> Callable[[str], Run]:
    """Reads a run as it stands now."""

    def read(run_id: str) -> Run:
        with database.transaction() as session:
            run = runs.load(session, run_id)
            session.expunge(run)
            return run

    return read


@pytest.fixture
def start_worker(settings: Settings) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts real worker processes and ends them after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        with (settings.data / f"worker-{len(started)}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "worker"], stdout=log, stderr=log, env=os.environ
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in started:
        process.wait(30)


@pytest.fixture
def artifacts(settings: Settings) -> Artifacts:
    """The installation's artifact store."""
    return Artifacts.open(settings.artifacts, settings.data)


@pytest.fixture
def prepared(settings: Settings, database: Database, owner: str) -> Callable[..., Dataset]:
    """Makes a dataset of a source and prepares it as a worker does."""

    def make(source: dict[str, object], parent_id: str | None = None) -> Dataset:
        with database.transaction() as session:
            parent = datasets.load(session, parent_id) if parent_id else None
            own = source["kind"] == "append"
            dataset_id = datasets.create(session, owner, "made", source, parent, own_images=own).id
        assert door.enter(Dataset, prepare.prepare, [dataset_id, uuid4().hex]) == 0
        with database.transaction() as session:
            dataset = datasets.load(session, dataset_id)
            session.expunge(dataset)
            return dataset

    return make
