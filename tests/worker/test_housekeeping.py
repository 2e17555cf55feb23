"""What a worker does beside its jobs, with the clock in the test's hand."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.settings import Settings
from backend.store import keeping, retention, usage
from backend.store.artifacts import Artifacts
from backend.store.database import Database
from worker.housekeeping import describe, prune_if_due
from worker.machine import described, memory_bytes

NOW = datetime.now(UTC)


@pytest.fixture
def keys(artifacts: Artifacts) -> dict[str, Path]:
    """Two files that no row speaks of, one eight days old and one six."""
    paths = {}
    for days in (8, 6):
        key = f"runs/{days:032x}/model.safetensors"
        artifacts.put(key, b"x" * days)
        path = artifacts.local_path(key)
        assert path is not None
        os.utime(path, ((NOW - timedelta(days=days)).timestamp(),) * 2)
        paths[key] = path
    return paths


def _left(keys: dict[str, Path]) -> list[int]:
    return [path.stat().st_size for path in keys.values() if path.exists()]


def test_the_schedule_removes_what_is_old_enough_once_a_day_and_notes_it(
    database: Database, tmp_path: Path, keys: dict[str, Path]
) -> None:
    settings = Settings(data=tmp_path, prune_days=7)
    prune_if_due(settings, database, lambda _: NOW)
    assert _left(keys) == [6]
    with database.transaction() as session:
        last = retention.last_prune(session)
        assert last is not None
        assert (last.account, last.detail) == (None, {"files": 1, "bytes": 8, "how": "schedule"})
    for later, left in ((timedelta(hours=20), [6]), (timedelta(days=2), [])):
        prune_if_due(settings, database, lambda _, later=later: NOW + later)
        assert _left(keys) == left, later


def test_nothing_is_removed_while_it_is_off_or_a_backup_is_taken(
    database: Database, tmp_path: Path, keys: dict[str, Path]
) -> None:
    prune_if_due(Settings(data=tmp_path), database, lambda _: NOW)
    with keeping.nothing_is_removed(database):
        prune_if_due(Settings(data=tmp_path, prune_days=7), database, lambda _: NOW)
    assert _left(keys) == [8, 6]
    with database.transaction() as session:
        assert retention.last_prune(session) is None


def test_a_worker_says_what_it_runs_on(database: Database) -> None:
    for _ in range(2):
        describe(Settings(device="cpu"), database, "this one")
    with database.transaction() as session:
        (seen,) = usage.workers(session)
    assert (seen.id, seen.device, seen.alive) == ("this one", "cpu", False)
    assert seen.cores == described("cpu")["cores"] >= 1
    assert seen.memory_bytes == memory_bytes()
    assert seen.memory_bytes is None or seen.memory_bytes > 2**28
